use gate::{Raw, ToCaller};

fn raw(raw: Raw) -> Option<ToCaller> {
    drop(raw);
    None
}

fn main() {}
