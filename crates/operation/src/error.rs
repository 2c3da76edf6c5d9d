//! What is wrong with a declaration, or with the arguments of a call.

use model::{OperationName, TargetName};

/// Why an operation cannot be loaded or called.
///
/// The first four are the configuration's fault and only come from [`crate::Operations::parse`]; the others are the
/// caller's. No message holds an argument's value: names, places and rules only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// A name that no operation may have.
    #[error("target `{target}`: {source}")]
    Name {
        /// The target that declares it.
        target: TargetName,
        /// Which rule it breaks.
        source: model::BadName,
    },
    /// A key of a declaration that cannot be used as it stands.
    #[error("operation `{operation}` of target `{target}`: `{key}`: {reason}")]
    Declared {
        /// The target that declares it.
        target: TargetName,
        /// The operation.
        operation: OperationName,
        /// The key of its declaration, with the place within it: `parameters.properties.id`.
        key: String,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// Two operations that tools would know by one name.
    #[error("target `{target}`: `{first}` and `{second}` are both listed as the tool `{tool}`: rename one")]
    SameTool {
        /// The target that declares both.
        target: TargetName,
        /// One of them.
        first: OperationName,
        /// The other.
        second: OperationName,
        /// The name that they share.
        tool: String,
    },
    /// More operations than one target may have.
    #[error("target `{target}` declares {count} operations: at most {limit} are possible")]
    TooMany {
        /// The target.
        target: TargetName,
        /// How many it declares.
        count: usize,
        /// How many it may.
        limit: usize,
    },
    /// An argument that the operation's schema does not allow.
    #[error("argument `{at}`: {reason}")]
    Argument {
        /// Where in the arguments, as a JSON pointer without its first slash; `arguments` for all of them.
        at: String,
        /// Which rule it breaks.
        reason: String,
    },
    /// A value that cannot stand in its place in the request.
    #[error("argument `{parameter}` cannot stand in the {place}: {reason}")]
    Unbindable {
        /// The parameter.
        parameter: String,
        /// Where it should have stood: `path`, `query`, `header`.
        place: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A bound request whose path and query are too long to be sent.
    #[error("the bound path and query are longer than {limit} bytes: send shorter arguments")]
    TooLong {
        /// The most that is sent.
        limit: usize,
    },
}

impl OperationError {
    /// Whether the caller, with other arguments, would get further. Otherwise the declaration must be mended.
    #[must_use]
    pub fn is_callers_fault(&self) -> bool {
        match self {
            Self::Name { .. } | Self::Declared { .. } | Self::SameTool { .. } | Self::TooMany { .. } => false,
            Self::Argument { .. } | Self::Unbindable { .. } | Self::TooLong { .. } => true,
        }
    }
}
