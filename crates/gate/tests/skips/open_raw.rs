use gate::{Raw, ToCaller};

fn raw(raw: Raw) -> Option<ToCaller> {
    drop(raw.0); None
}

fn main() {}
