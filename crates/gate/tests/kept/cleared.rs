use gate::{Cleared, Admitted};

fn clear(admitted: Admitted, cleared: Cleared) -> Cleared {
    drop(admitted);
    cleared
}

fn main() {}
