//! Policy text before it is parsed: how much of it there may be, how deep, and where each statement begins.
//!
//! Cedar's parser and validator recurse along the text, and a validator that runs short of stack passes whatever it has not
//! looked at. So everything that could deepen the tree is counted here, without recursion, before Cedar sees a byte.

use crate::Problem;

/// One file of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, which the ids of its policies begin with: `payments.cedar`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// One statement of a file, from its first token to its semicolon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<'a> {
    /// The byte of the file at which it begins.
    pub(crate) start: usize,
    /// Its text.
    pub(crate) text: &'a str,
}

const MAX_FILES: usize = 1_000;
const MAX_FILE_BYTES: usize = 1 << 20;
const MAX_TOTAL_BYTES: usize = 8 << 20;
/// Policies in all files together.
pub(crate) const MAX_POLICIES: usize = 20_000;
/// Brackets of any kind within each other.
const MAX_NESTING: usize = 64;
/// Operators, opening brackets and `if`s in one statement: a chain of any of them deepens the tree by one each, without a
/// bracket. A chain of this length is evaluated on a stack of 2 MiB.
const MAX_OPERATORS: usize = 300;
/// Attributes after one `has`.
const MAX_HAS_PATH: usize = 8;

/// Checks what is known before any text is read: numbers, sizes and names of the files.
pub(crate) fn check_files(files: &[PolicyFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if files.len() > MAX_FILES {
        problems.push(Problem::of("policies", format!("{} files are more than {MAX_FILES}", files.len())));
    }
    let total: usize = files.iter().map(|file| file.text.len()).sum();
    if total > MAX_TOTAL_BYTES {
        problems
            .push(Problem::of("policies", format!("{total} bytes in all are more than {MAX_TOTAL_BYTES}")));
    }
    for (index, file) in files.iter().enumerate() {
        if file.name.is_empty() || file.name.len() > 255 || file.name.chars().any(char::is_control) {
            let name: String = file.name.escape_debug().take(80).collect();
            problems.push(Problem::of(&name, "a file name is 1 to 255 bytes without control characters"));
        }
        if files.iter().take(index).any(|other| other.name == file.name) {
            problems.push(Problem::of(
                &file.name,
                "two files have this name, so their policies' ids would be the same",
            ));
        }
        if file.text.len() > MAX_FILE_BYTES {
            let message = format!("{} bytes are more than {MAX_FILE_BYTES}", file.text.len());
            problems.push(Problem::of(&file.name, message).help("split the file"));
        }
    }
    problems
}

/// The file's statements.
///
/// Strings and comments are told apart exactly as Cedar's lexer does. Where both disagreed nothing would be lost: every byte
/// outside a comment is part of a statement, and Cedar parses each statement whole.
pub(crate) fn statements(file: &PolicyFile) -> Result<Vec<Statement<'_>>, Problem> {
    let bytes = file.text.as_bytes();
    let mut statements = Vec::new();
    let mut begun: Option<usize> = None;
    let mut weight = Weight::default();
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(bytes, at);
        let token = bytes.get(at..end).unwrap_or_default();
        if token == b";" {
            let start = begun.take().unwrap_or(at);
            statements.push(Statement { start, text: file.text.get(start..end).unwrap_or_default() });
            weight = Weight::default();
        } else if !token.starts_with(b"//") && !starts_with_space(&file.text, at) {
            begun = begun.or(Some(at));
            weight.add(token).map_err(|(message, help)| Problem::at(file, at, message).help(help))?;
        }
        at = end;
    }
    if let Some(start) = begun {
        statements.push(Statement { start, text: file.text.get(start..).unwrap_or_default() });
    }
    Ok(statements)
}

/// What a statement has so far of what makes Cedar's work deep or long.
#[derive(Default)]
struct Weight<'a> {
    depth: usize,
    operators: usize,
    /// The last two tokens, the last one first.
    before: [&'a [u8]; 2],
    /// After `has`: how many attributes it names.
    has_path: Option<usize>,
}

impl<'a> Weight<'a> {
    fn add(&mut self, token: &'a [u8]) -> Result<(), (String, &'static str)> {
        match token {
            b"(" | b"[" | b"{" => (self.depth, self.operators) = (self.depth + 1, self.operators + 1),
            b")" | b"]" | b"}" => self.depth = self.depth.saturating_sub(1),
            b"." | b"!" | b"&&" | b"||" | b"&" | b"|" | b"+" | b"-" | b"*" | b"/" | b"%" | b"if" => {
                self.operators += 1
            }
            b"has" | b"is" if !self.follows_path() => {
                let message = "`has` and `is` stand only after a path such as `context.args`";
                return Err((message.to_owned(), "Cedar reads what stands before them several times over"));
            }
            _ => {}
        }
        self.has_path = match (token, self.has_path) {
            (b"has", _) => Some(1),
            (b".", Some(attributes)) => Some(attributes + 1),
            (token, Some(attributes)) if token.first().is_some_and(|&first| is_word(first)) => {
                Some(attributes)
            }
            _ => None,
        };
        self.before = [token, self.before[0]];
        if self.depth > MAX_NESTING {
            return Err((
                format!("brackets are nested deeper than {MAX_NESTING} levels"),
                "split the policy",
            ));
        }
        if self.operators > MAX_OPERATORS {
            let message = format!("more than {MAX_OPERATORS} operators and brackets in one policy");
            return Err((message, "split the policy, or list alternatives in a set"));
        }
        if self.has_path > Some(MAX_HAS_PATH) {
            return Err((
                format!("more than {MAX_HAS_PATH} attributes after one `has`"),
                "join several by `&&`",
            ));
        }
        Ok(())
    }

    /// Whether the last token ends a path: a name, or a string in brackets. After a point or an `@`, what comes is itself a
    /// name.
    fn follows_path(&self) -> bool {
        let [last, second] = self.before;
        match last.first() {
            Some(b'.' | b'@') => true,
            Some(b']') => second.first() == Some(&b'"'),
            Some(&first) => is_word(first),
            None => false,
        }
    }
}

/// Where the token that begins at `at` ends: a string, a comment, a word or a doubled operator; else one character.
fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = match rest {
        [b'"', inside @ ..] => {
            let mut escaped = false;
            let closing = inside.iter().position(|&byte| {
                let closes = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                closes
            });
            closing.map_or(rest.len(), |length| length + 2)
        }
        [b'/', b'/', ..] => rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len()),
        [b'&', b'&', ..] | [b'|', b'|', ..] => 2,
        [first, ..] if is_word(*first) => rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len()),
        [_, following @ ..] => 1 + following.iter().take_while(|&&byte| byte & 0xc0 == 0x80).count(),
        [] => 1,
    };
    at + length
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn starts_with_space(text: &str, at: usize) -> bool {
    text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<(usize, String)>, Problem> {
        let file = PolicyFile { name: "a.cedar".into(), text: text.into() };
        let found = statements(&file)?;
        Ok(found.into_iter().map(|statement| (statement.start, statement.text.to_owned())).collect())
    }

    #[test]
    fn semicolons_and_brackets_in_strings_and_comments_split_and_nest_nothing() {
        let text = "// one; ((((\n a \"; \\\" ((\" ;\n\u{a0}// two\r b; // end";
        assert_eq!(split(text).unwrap(), [(14, "a \"; \\\" ((\" ;".into()), (38, "b;".into())]);
    }

    #[test]
    fn text_without_a_semicolon_is_not_lost() {
        assert_eq!(split("a; b \"open ; ").unwrap(), [(0, "a;".into()), (3, "b \"open ; ".into())]);
    }

    #[test]
    fn nesting_and_chains_are_bounded_before_anything_is_parsed() {
        let deep = format!("a;\n{}", "(".repeat(1_000_000));
        let problem = split(&deep).unwrap_err();
        assert_eq!((problem.line, problem.column), (Some(2), Some(65)));
        for link in ["&& a", ".a", "[\"a\"]", "if a then a else ", "+1", "- ", "!", "|| a", "*1"] {
            assert!(split(&link.repeat(301)).is_err(), "{link}");
            assert!(split(&link.repeat(300)).is_ok(), "{link}");
        }
        assert!(split(&"(".repeat(64)).is_ok());
        assert!(
            split(&format!("[{}]", "Principal::\"dev/a\",".repeat(50_000))).is_ok(),
            "a long set is not deep"
        );
    }

    #[test]
    fn what_cedar_would_read_twice_is_only_a_path() {
        for good in [
            "context.args has id",
            "a[\"b\"] has c.d",
            "principal is Principal in G",
            "context.has.is",
            "x has is",
        ] {
            assert!(split(good).is_ok(), "{good}");
        }
        for bad in
            ["(if a then b else c) has d", "[a] is T in d", "{} has a", "has", "x has a.b.c.d.e.f.g.h.i"]
        {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_byte_outside_comments_belongs_to_a_statement() {
        proptest::proptest!(|(text in "[a;\"\\\\/ \n\r(é)]{0,40}")| {
            if let Ok(found) = split(&text) {
                let kept: usize = found.iter().map(|(_, text)| text.len()).sum();
                let commented = text.contains("//");
                let blank = text.chars().filter(|c| c.is_whitespace()).map(char::len_utf8).sum::<usize>();
                proptest::prop_assert!(commented || kept + blank >= text.len());
            }
        });
    }
}
