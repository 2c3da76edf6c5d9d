use gate::{Admitted, Cleared};

fn clear(admitted: Admitted, cleared: Cleared) -> Cleared {
    drop(admitted);
    cleared
}

fn main() {}
