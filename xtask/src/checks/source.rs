//! Rust source with all that is not code blanked: comments, and what stands inside of strings.
//!
//! It knows as much of Rust's lexer as that needs: nested comments, raw strings, and the two uses of `'`. It does not
//! parse, and needs source that compiles.

use std::ops::Range;

/// One file's code, line by line as it was.
#[derive(Debug)]
pub(super) struct Source {
    /// Comments are spaces, the insides of strings are `_`, line breaks stay.
    code: String,
    /// Where test modules stand in `code`.
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Blanks what is not code.
    pub(super) fn read(text: &str) -> Self {
        let code = blank(text);
        let tests = test_modules(&code);
        Self { code, tests }
    }

    /// Lines with code on them, outside of test modules.
    pub(super) fn lines_of_code(&self) -> usize {
        let mut start = 0;
        let mut count = 0;
        for line in self.code.split_inclusive('\n') {
            count += usize::from(!line.trim().is_empty() && !self.in_tests(start));
            start += line.len();
        }
        count
    }

    /// Whether this text stands in the code, outside of test modules.
    pub(super) fn says(&self, words: &str) -> bool {
        self.code.match_indices(words).any(|(at, _)| !self.in_tests(at))
    }

    fn in_tests(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }
}

fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = token(rest, first, code.chars().next_back());
        let (taken, left) = rest.split_at(length);
        let with = match kind {
            Kind::Code => None,
            Kind::Comment => Some(' '),
            Kind::Quoted => Some('_'),
        };
        match with {
            None => code.push_str(taken),
            Some(with) => code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { with })),
        }
        rest = left;
    }
    code
}

enum Kind {
    Code,
    Comment,
    Quoted,
}

/// The kind and length of what `rest` starts with; `before` is the character before it.
fn token(rest: &str, first: char, before: Option<char>) -> (Kind, usize) {
    let one = (Kind::Code, first.len_utf8());
    let word_before = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match first {
        '/' if rest.starts_with("//") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Kind::Comment, block_comment(rest)),
        '"' => (Kind::Quoted, quoted(rest, '"')),
        'r' | 'b' | 'c' if !word_before => raw_string(rest).map_or(one, |length| (Kind::Quoted, length)),
        '\'' => character(rest).map_or(one, |length| (Kind::Quoted, length)),
        _ => one,
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        if left.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if left.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += left.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of what stands between two of `mark`, both included; a backslash hides the next character.
fn quoted(rest: &str, mark: char) -> usize {
    let mut hidden = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if hidden => hidden = false,
            '\\' => hidden = true,
            _ if c == mark => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`; none when this is another word.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let after = rest.strip_prefix(prefix)?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let body = after.get(hashes + 1..)?;
    Some(body.find(&end).map_or(rest.len(), |at| prefix.len() + hashes + 1 + at + end.len()))
}

/// The length of a character in quotes; none when this is a lifetime or a label.
fn character(rest: &str) -> Option<usize> {
    let mut after = rest.chars().skip(1);
    match (after.next()?, after.next()?) {
        ('\\', _) => Some(quoted(rest, '\'')),
        (c, '\'') => Some(c.len_utf8() + 2),
        _ => None,
    }
}

/// Modules with `#[cfg(test)]` whose body stands here.
fn test_modules(code: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, mark) in code.match_indices("#[cfg(test)]") {
        let body = start + mark.len();
        if ranges.iter().any(|range| range.contains(&start)) {
            continue;
        }
        if let Some(length) = code.get(body..).and_then(module) {
            ranges.push(start..body + length);
        }
    }
    ranges
}

/// The length of `… mod name { … }` with attributes before it; none when something else follows.
fn module(code: &str) -> Option<usize> {
    let open = code.find('{')?;
    let head = code.get(..open)?;
    let words = head.rsplit(']').next()?.split_whitespace();
    let is_module = !head.contains(';') && words.rev().nth(1) == Some("mod");
    let mut depth = 0_usize;
    for (at, c) in code.char_indices().filter(|_| is_module).skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> usize {
        Source::read(text).lines_of_code()
    }

    #[test]
    fn blanks_and_comments_are_no_code() {
        assert_eq!(lines("//! Door.\n\n/// Doc.\nfn f() {} // why\n/* a\n /* nested */\n b */\n"), 1);
        assert_eq!(lines("let a = 1; /* why\n*/ let b = 2;\n"), 2);
    }

    #[test]
    fn what_looks_like_a_comment_in_a_string_is_code() {
        assert_eq!(lines("let url = \"http://a\";\nlet b = \"/*\";\nlet c = 1;\n"), 3);
        assert_eq!(lines("let a = \"\\\"//\"; let b = '\"'; // \"\nf();\n"), 2);
        assert_eq!(lines("let a = r#\"\"//\n*/\"#;\nlet b = br\"\\\"; // c\n"), 3);
    }

    #[test]
    fn lifetimes_are_no_characters() {
        assert_eq!(
            lines("fn f<'a>(a: &'a str) {}\n// '\nfn g() { 'l: loop { break 'l; } }\nlet c = '\\'';\n"),
            3
        );
    }

    #[test]
    fn test_modules_are_not_counted_and_what_follows_them_is() {
        let text = "fn f() {}\n#[cfg(test)]\n#[expect(x, reason = \"a{b\")]\nmod tests {\n fn g() { \"}\"; }\n}\nfn h() {}\n";
        assert_eq!(lines(text), 2);
        assert_eq!(lines("#[cfg(test)]\nmod tests;\nfn f() {}\n"), 3);
        assert_eq!(lines("#[cfg(test)]\nfn only_in_tests() {\n}\nmod m {\n}\n"), 5);
    }

    #[test]
    fn words_are_found_in_code_alone() {
        let source = Source::read(
            "// TcpStream::connect\nlet a = \"TcpSocket\";\n#[cfg(test)] mod t { lookup_host }\nf(UdpSocket)",
        );
        let said = ["TcpStream", "TcpSocket", "lookup_host", "UdpSocket"].map(|word| source.says(word));
        assert_eq!(said, [false, false, false, true]);
    }
}
