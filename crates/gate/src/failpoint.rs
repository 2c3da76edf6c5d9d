//! Crash points: places where a test kills the process, to see that nothing is lost and nothing runs twice.
//!
//! They exist only under the `failpoints` feature. `COUNTERSIGN_CRASH_AT=used` kills the process (SIGKILL's equivalent:
//! no destructor, no flush) the first time that it passes that point.

/// The places, in the order of a call (ARCHITECTURE.md, "The order of writes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// The approval is in the store.
    Asked,
    /// Its signature is in the store.
    Signed,
    /// It is marked used by a call.
    Used,
    /// The entry is in the journal's buffer.
    Begun,
    /// The entry is on the disk, before a call with an effect is sent.
    Durable,
    /// The credential is there.
    Minted,
    /// The head of the call has been written to the target.
    HeadSent,
    /// Its body too.
    BodySent,
    /// The head of the answer is there.
    AnswerBegun,
    /// The entry has been written, before the answer is released.
    Recorded,
    /// The first bytes of the answer went to the caller.
    FirstByteOut,
    /// The end is in the journal's buffer.
    Finished,
}

impl CrashPoint {
    /// All of them.
    #[cfg(feature = "failpoints")]
    pub const ALL: [Self; 12] = [
        Self::Asked,
        Self::Signed,
        Self::Used,
        Self::Begun,
        Self::Durable,
        Self::Minted,
        Self::HeadSent,
        Self::BodySent,
        Self::AnswerBegun,
        Self::Recorded,
        Self::FirstByteOut,
        Self::Finished,
    ];

    /// How `COUNTERSIGN_CRASH_AT` names it.
    #[cfg(feature = "failpoints")]
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Signed => "signed",
            Self::Used => "used",
            Self::Begun => "begun",
            Self::Durable => "durable",
            Self::Minted => "minted",
            Self::HeadSent => "head_sent",
            Self::BodySent => "body_sent",
            Self::AnswerBegun => "answer_begun",
            Self::Recorded => "recorded",
            Self::FirstByteOut => "first_byte_out",
            Self::Finished => "finished",
        }
    }

    /// Whether a test wants the process to end here, so that a protocol may take a step in two. Never without the
    /// `failpoints` feature.
    #[inline]
    #[must_use]
    pub fn is_armed(self) -> bool {
        #[cfg(feature = "failpoints")]
        return std::env::var_os("COUNTERSIGN_CRASH_AT").is_some_and(|at| at == self.name());
        #[cfg(not(feature = "failpoints"))]
        false
    }

    /// Ends the process if a test asked for that here. Nothing at all without the `failpoints` feature.
    #[inline]
    pub fn pass(self) {
        #[cfg(feature = "failpoints")]
        if self.is_armed() {
            tracing::error!(point = self.name(), "crash point");
            std::process::abort();
        }
    }
}
