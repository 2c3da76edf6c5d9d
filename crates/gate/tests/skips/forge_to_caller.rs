use gate::{Gate, Public, Said, ToCaller};

fn shown(gate: &Gate, bytes: bytes::Bytes) -> ToCaller {
    let _ = (gate, Said::page, Public::Healthz); ToCaller(bytes)
}

fn main() {}
