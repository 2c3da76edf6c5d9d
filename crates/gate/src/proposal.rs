//! A call as a protocol proposes it: classified, with its body where that is whole.

use bytes::Bytes;
use mask::Content;
use model::Call;

/// A classified call and its body, if the body was read in full. What is proposed is what is decided on, recorded, signed
/// for and sent.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What is asked for.
    pub call: Call,
    /// The body, when it is whole.
    pub body: Option<Body>,
}

/// A body that was read in full.
#[derive(Debug, Clone)]
pub struct Body {
    /// What its bytes are, where that is known; `None` for bytes that cannot be searched, which are not recorded.
    pub content: Option<Content>,
    /// The bytes, as they will be sent.
    pub bytes: Bytes,
}
