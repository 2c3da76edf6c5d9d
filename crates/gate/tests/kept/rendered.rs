use gate::{Ended, Said, ToCaller};

fn shown(ended: &Ended, _: Vec<u8>) -> ToCaller {
    ToCaller::rendered(Said::ended(ended, |ended| ended.to_string().into_bytes()))
}

fn main() {}
