//! What both targets share: a plan with everything, and the two ways of pushing.

use std::sync::Arc;

use mask::{Content, Masker, Needles, Plan, Withheld, detectors};

pub const SECRET: &str = "s3cr3t-t0ken";

/// Longer inputs reach no other code and slow the oracle down.
pub const MAX_INPUT: usize = 250;

pub fn plan() -> Arc<Plan> {
    let needles = Needles::new(&[SECRET.as_bytes()]).expect("the secret is long enough");
    Arc::new(Plan::new(detectors().to_vec(), Vec::new(), Arc::new(needles)))
}

/// What comes out for chunks of `size` bytes; asserts that the whole at once gives the same.
pub fn masked(plan: &Arc<Plan>, content: Content, input: &[u8], size: usize) -> Result<Vec<u8>, Withheld> {
    let whole = run(plan, content, std::iter::once(input));
    let parts = run(plan, content, input.chunks(size.max(1)));
    assert_eq!(whole, parts, "chunks of {size} differ");
    whole
}

fn run<'a>(plan: &Arc<Plan>, content: Content, chunks: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, Withheld> {
    let mut masker = Masker::new(Arc::clone(plan), content);
    let mut out = Vec::new();
    for chunk in chunks {
        masker.push(chunk, &mut out)?;
    }
    masker.finish(&mut out)?;
    assert_eq!(masker.held(), 0, "bytes are held back after the end");
    Ok(out)
}
