use gate::{Gate, Public, Said, ToCaller};

fn shown(gate: &Gate, bytes: bytes::Bytes) -> ToCaller {
    drop(bytes);
    ToCaller::rendered(Said::page(&gate.page(Public::Healthz)))
}

fn main() {}
