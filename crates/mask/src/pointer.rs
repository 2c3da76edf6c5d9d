//! Where classified fields are: JSON pointers (RFC 6901) in which `*` stands for any one member or element.

use std::fmt;

/// The longest token of a pointer, in bytes.
pub(crate) const MAX_TOKEN: usize = 256;
/// The most tokens of a pointer.
const MAX_TOKENS: usize = 64;

/// Text that is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPointer {
    /// It is neither empty nor begins with `/`.
    #[error("`{0}` is no JSON pointer: it is empty (the whole document) or begins with `/`")]
    NoSlash(String),
    /// A `~` that is not followed by `0` or `1`.
    #[error("`{0}` is no JSON pointer: write `~0` for `~` and `~1` for `/`")]
    Tilde(String),
    /// A NUL, too many tokens, or a token that is too long.
    #[error("`{0}` is no usable JSON pointer: at most 64 tokens of at most 256 bytes, without NUL")]
    Limits(String),
}

/// A JSON pointer (RFC 6901) in which `*` stands for any one member or element.
///
/// Tokens are compared with decoded keys without regard to case, and a key counts up to its first NUL: some readers match
/// keys so, and every reading of an answer is masked. A member whose name is a single `*` is matched by `*` too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pointer {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    Any,
    /// In folded case.
    Named(String),
}

impl Pointer {
    /// Reads a pointer such as `/customers/*/email`. The empty pointer is the whole document.
    ///
    /// # Errors
    /// [`BadPointer`] when it does not follow RFC 6901, or is too long.
    pub fn parse(text: &str) -> Result<Self, BadPointer> {
        let tokens = match text.strip_prefix('/') {
            None if text.is_empty() => Vec::new(),
            None => return Err(BadPointer::NoSlash(text.to_owned())),
            Some(rest) => rest
                .split('/')
                .map(|token| unescape(token).ok_or_else(|| BadPointer::Tilde(text.to_owned())))
                .map(|token| token.map(|t| if t == "*" { Token::Any } else { Token::Named(fold(&t)) }))
                .collect::<Result<_, _>>()?,
        };
        let too_long = |t: &Token| matches!(t, Token::Named(n) if n.len() > MAX_TOKEN);
        if text.contains('\0') || tokens.len() > MAX_TOKENS || tokens.iter().any(too_long) {
            return Err(BadPointer::Limits(text.to_owned()));
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// How many members or elements lead to the value.
    pub(crate) fn depth(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the token at `depth` stands for this decoded key.
    pub(crate) fn matches_at(&self, depth: usize, key: &str) -> bool {
        match self.tokens.get(depth) {
            Some(Token::Any) => true,
            Some(Token::Named(name)) => is_named(key, name),
            None => false,
        }
    }
}

/// Whether some reader takes `key` for the folded `name`.
fn is_named(key: &str, name: &str) -> bool {
    if !key.is_ascii() {
        return fold(key) == name;
    }
    // As `fold` would have it, without a copy.
    match key.as_bytes().split_at_checked(name.len()) {
        Some((head, rest)) => {
            head.eq_ignore_ascii_case(name.as_bytes()) && matches!(rest.first(), None | Some(0))
        }
        None => false,
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A key as readers that disregard case see it, up to its first NUL.
fn fold(key: &str) -> String {
    let whole = key.split('\0').next().unwrap_or_default();
    if whole.is_ascii() {
        return whole.to_ascii_lowercase();
    }
    whole.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

fn unescape(token: &str) -> Option<String> {
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_unescaped_and_compared_without_regard_to_case() {
        let pointer = Pointer::parse("/a~1b/*/M~0n").unwrap();
        assert_eq!(pointer.depth(), 3);
        assert!(pointer.matches_at(0, "A/b"));
        assert!(pointer.matches_at(1, "anything"));
        assert!(pointer.matches_at(2, "m~N"));
        assert!(!pointer.matches_at(2, "m"));
        assert!(!pointer.matches_at(3, "m"));
    }

    #[test]
    fn keys_that_some_readers_take_for_the_same_are_the_same() {
        let pointer = Pointer::parse("/ks").unwrap();
        for key in ["ks", "KS", "\u{212a}s", "k\u{17f}", "ks\0tail"] {
            assert!(pointer.matches_at(0, key), "{key:?}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        assert!(matches!(Pointer::parse("a"), Err(BadPointer::NoSlash(_))));
        assert!(matches!(Pointer::parse("/a~2"), Err(BadPointer::Tilde(_))));
        assert!(matches!(Pointer::parse("/a~"), Err(BadPointer::Tilde(_))));
        assert!(matches!(Pointer::parse("/a\0"), Err(BadPointer::Limits(_))));
        assert!(matches!(Pointer::parse(&"/a".repeat(65)), Err(BadPointer::Limits(_))));
        assert_eq!(Pointer::parse("").unwrap().depth(), 0);
    }
}
