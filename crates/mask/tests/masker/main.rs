//! The masker against slow oracles, under any chunking, and against the attacks that it must withstand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod attacks;
mod bounds;
mod detect;
mod document;
mod events;
mod fields;
mod json;
mod plant;
mod text;

use std::sync::Arc;

use mask::{Content, Counts, FieldRule, Masker, Needles, Plan, Pointer, Replace, Withheld, detectors};

/// The credential of most tests.
pub(crate) const SECRET: &str = "s3cr3t-t0ken";

pub(crate) fn plan() -> Arc<Plan> {
    plan_with(Vec::new())
}

pub(crate) fn plan_with(fields: Vec<FieldRule>) -> Arc<Plan> {
    let needles = Needles::new(&[SECRET.as_bytes()]).unwrap();
    Arc::new(Plan::new(detectors().to_vec(), fields, Arc::new(needles)))
}

pub(crate) fn secret_only(secret: &[u8]) -> Arc<Plan> {
    Arc::new(Plan::new(Vec::new(), Vec::new(), Arc::new(Needles::new(&[secret]).unwrap())))
}

pub(crate) fn field(pointer: &str, class: &str, replace: Replace) -> FieldRule {
    FieldRule { pointer: Pointer::parse(pointer).unwrap(), class: class.to_owned(), replace }
}

/// What comes out for chunks of these sizes, used again and again.
pub(crate) fn mask_chunked(
    plan: &Arc<Plan>,
    content: Content,
    input: &[u8],
    sizes: &[usize],
) -> (Vec<u8>, Result<(), Withheld>, Counts) {
    let mut masker = Masker::new(Arc::clone(plan), content);
    let mut out = Vec::new();
    let mut rest = input;
    let mut result = Ok(());
    for size in sizes.iter().cycle() {
        if rest.is_empty() || result.is_err() {
            break;
        }
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        result = masker.push(chunk, &mut out);
        rest = after;
    }
    let result = result.and_then(|()| masker.finish(&mut out));
    (out, result, masker.counts().clone())
}

/// What comes out for the whole input at once.
pub(crate) fn mask_whole(plan: &Arc<Plan>, content: Content, input: &[u8]) -> Result<String, Withheld> {
    let (out, result, _) = mask_chunked(plan, content, input, &[usize::MAX]);
    result.map(|()| String::from_utf8(out).unwrap())
}

/// Asserts that chunks of these sizes give what the whole gives: the same bytes, counts and end; where the answer is withheld,
/// what was released agrees as far as both go.
pub(crate) fn assert_any_chunking(plan: &Arc<Plan>, content: Content, input: &[u8], sizes: &[usize]) {
    let whole = mask_chunked(plan, content, input, &[usize::MAX]);
    let parts = mask_chunked(plan, content, input, sizes);
    let shown = String::from_utf8_lossy(input);
    assert_eq!(whole.1, parts.1, "chunks of {sizes:?}: {shown}");
    if whole.1.is_ok() {
        assert_eq!(
            String::from_utf8_lossy(&whole.0),
            String::from_utf8_lossy(&parts.0),
            "chunks of {sizes:?}: {shown}"
        );
        assert_eq!(whole.2, parts.2, "chunks of {sizes:?}: {shown}");
    } else {
        let common = whole.0.len().min(parts.0.len());
        assert_eq!(whole.0[..common], parts.0[..common], "chunks of {sizes:?}: {shown}");
    }
}
