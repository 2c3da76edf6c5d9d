//! What is wrong with a policy, and where.

use std::fmt;

use miette::Diagnostic;

use crate::PolicyFile;

/// One thing that keeps policies from being loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The policy file; for a fault in what the configuration declares, the target in words.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// `file:line:column: message`, as compilers print it.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem without a place in a text.
    pub(crate) fn of(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into(), help: None }
    }

    /// A problem at a byte of a file.
    pub(crate) fn at(file: &PolicyFile, byte: usize, message: impl Into<String>) -> Self {
        let before = file.text.get(..byte).unwrap_or(&file.text);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Self { line: Some(line), column: Some(column), ..Self::of(&file.name, message) }
    }

    /// What Cedar says of the statement that begins at byte `start`.
    pub(crate) fn found(file: &PolicyFile, start: usize, error: &dyn Diagnostic) -> Self {
        let label = error.labels().and_then(|mut labels| labels.next());
        let byte = start + label.as_ref().map_or(0, |label| label.offset());
        let help = error.help().map(|help| help.to_string());
        let help = help.or_else(|| label.and_then(|label| label.label().map(str::to_owned)));
        Self { help: help.map(|help| visible(&help)), ..Self::at(file, byte, visible(&error.to_string())) }
    }

    /// The same, with what to do about it.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// The text with what a terminal would obey instead of show (control characters, changes of direction) as escapes.
fn visible(text: &str) -> String {
    let shown = |c: char| {
        let hidden = c.escape_debug().len() > 2 || c.is_control();
        if hidden { c.escape_debug().collect() } else { String::from(c) }
    };
    text.chars().map(shown).collect()
}
