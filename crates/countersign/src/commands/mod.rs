//! What each command does. Answers go to standard output, everything else to standard error.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod config;
pub(crate) mod gateway;
pub(crate) mod policy;
pub(crate) mod secret;
pub(crate) mod setup;
pub(crate) mod targets;

use std::io::Write as _;
use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use gate::model::Secret;
use serde_json::Value;

/// Prints an answer. A reader that has gone is no error.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints an answer as JSON.
pub(crate) fn print_json(value: &Value) {
    print(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Tells people something that is no answer.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error and its causes in one line, each told once: some tell their cause themselves.
pub(crate) fn whole(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |told, cause| {
        if told.contains(&cause) { told } else { format!("{told}: {cause}") }
    })
}

/// What targets and callers wrote, made safe for a terminal: no control character reaches it.
pub(crate) fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c }).collect()
}

/// Marks that change the direction of text, and could make one line look like another.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// A member of a JSON object as text, empty when it is not there.
pub(crate) fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => safe(text),
        Some(other) => safe(&other.to_string()),
    }
}

/// Rows in columns that fit their widest cell; the last is as long as it is.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head.get(column).map_or(0, |name| name.len())]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column + 1 == head.len() { (*cell).to_owned() } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// A secret from a prompt without echo, or the first line of standard input.
pub(crate) fn read_secret(prompt: &str) -> anyhow::Result<Secret> {
    if std::io::stdin().is_terminal() {
        let typed = rpassword::prompt_password(prompt).context("nothing could be read from the terminal")?;
        return Ok(Secret::from(typed));
    }
    let mut line = Vec::new();
    std::io::stdin().lock().read_until(b'\n', &mut line).context("standard input cannot be read")?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    anyhow::ensure!(!line.is_empty(), "standard input is empty: pipe the value into the command");
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_no_control_character_of_anybody_else() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
    }

    #[test]
    fn a_cause_that_the_error_tells_itself_is_told_once() {
        let error =
            anyhow::anyhow!("no such file").context("cannot read `a`: no such file").context("cannot start");
        assert_eq!(whole(&error), "cannot start: cannot read `a`: no such file");
    }

    #[test]
    fn columns_fit_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "long one".to_owned()], vec!["bbb".to_owned(), String::new()]];
        assert_eq!(table(&["id", "what"], &rows), "id   what\na    long one\nbbb");
    }
}
