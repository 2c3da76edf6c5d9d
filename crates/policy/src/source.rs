//! Policy text before it is parsed.

/// One file of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, which the ids of its policies begin with: `payments.cedar`.
    pub name: String,
    /// What is in it.
    pub text: String,
}
