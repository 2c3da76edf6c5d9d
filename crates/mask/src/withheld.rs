//! Why an answer cannot be shown.

/// Why an answer cannot be searched, and so cannot be shown. It says where and what kind of thing, never what stood there.
///
/// Offsets are in bytes from the beginning of what was pushed; for a JSON document inside an event they count from the
/// beginning of that document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Withheld {
    /// The bytes are not UTF-8.
    #[error("the answer is not UTF-8 at byte {offset}")]
    InvalidUtf8 {
        /// Where the first bad byte is.
        offset: u64,
    },
    /// The bytes are not one JSON value and nothing else.
    #[error("the answer is not JSON at byte {offset}: {problem}")]
    InvalidJson {
        /// Where reading stopped.
        offset: u64,
        /// What was wrong there.
        problem: &'static str,
    },
    /// The answer ends in the middle of a value.
    #[error("the answer ends in the middle of a JSON value")]
    Truncated,
    /// Nested deeper than can be followed.
    #[error("the answer is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Text that holds a NUL: most likely another charset, in which nothing would be found.
    #[error("the answer holds a NUL at byte {offset}, so its charset is in doubt")]
    Nul {
        /// Where.
        offset: u64,
    },
    /// A line of an event stream that is too long to be looked at whole, and cannot be searched piece by piece.
    #[error("a line of the event stream is longer than {limit} bytes and cannot be searched in pieces")]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Data of an event that looks like JSON, is none, and may hold classified fields.
    #[error("an event's data is no JSON, so its classified fields cannot be found")]
    UnreadableEvent,
    /// The injected credential stands where it cannot be cut out: across JSON structure, or in bytes without a known form.
    #[error("the answer holds the injected credential where it cannot be cut out")]
    Credential,
}
