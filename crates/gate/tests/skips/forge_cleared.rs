use gate::{Cleared, Admitted};

fn clear(admitted: Admitted, cleared: Cleared) -> Cleared {
    drop(admitted);
    Cleared { ..cleared }
}

fn main() {}
