//! Looking for a secret in bytes, in every spelling in which it could have got there.

use aho_corasick::AhoCorasick;
use anyhow::Context as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Searches bytes for a secret, or half of it.
pub(super) struct Search {
    spellings: Vec<&'static str>,
    automaton: AhoCorasick,
}

impl Search {
    /// The spellings of `secret`: plain, base64 of both alphabets at each alignment, hex, percent-encoded and escaped.
    pub(super) fn new(secret: &[u8]) -> anyhow::Result<Self> {
        let (mut spellings, mut patterns) = (Vec::new(), Vec::new());
        for (name, spelt) in spelt(secret) {
            // Half of it is a leak too.
            let (first, second) = spelt.split_at(spelt.len() / 2);
            for half in [first, second] {
                spellings.push(name);
                patterns.push(half.to_vec());
            }
        }
        // Hex and percent-encoding come in both cases.
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(patterns);
        Ok(Self { spellings, automaton: automaton.context("the search cannot be prepared")? })
    }

    /// How many spellings are looked for.
    pub(super) fn spellings(&self) -> usize {
        self.spellings.len() / 2
    }

    /// The spelling in which it was found, and where.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(&'static str, usize)> {
        let found = self.automaton.find(bytes)?;
        Some((
            self.spellings.get(found.pattern().as_usize()).copied().unwrap_or("some spelling"),
            found.start(),
        ))
    }
}

/// Whether bytes are compressed, and cannot be searched.
pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 5] = [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0", b"PK\x03\x04"];
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

fn spelt(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let each = |byte: &dyn Fn(u8) -> String| secret.iter().map(|&b| byte(b)).collect::<String>().into_bytes();
    let unless_plain = |b: u8, escaped: String| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { char::from(b).to_string() } else { escaped }
    };
    let mut all = vec![
        ("plain", secret.to_vec()),
        ("hex", hex::encode(secret).into_bytes()),
        ("percent-encoded", each(&|b| unless_plain(b, format!("%{b:02X}")))),
        ("percent-encoded throughout", each(&|b| format!("%{b:02X}"))),
        ("percent-encoded twice", each(&|b| unless_plain(b, format!("%25{b:02X}")))),
        ("escaped for JSON", each(&|b| if b == b'/' { "\\/".to_owned() } else { char::from(b).to_string() })),
        ("escaped for JSON by number", each(&|b| unless_plain(b, format!("\\u{b:04x}")))),
        ("escaped for JSON throughout", each(&|b| format!("\\u{b:04x}"))),
        (
            "as a form, with spaces for pluses",
            each(&|b| char::from(if b == b'+' { b' ' } else { b }).to_string()),
        ),
        (
            "as a form, encoded again",
            each(&|b| if b == b'+' { "%20".to_owned() } else { char::from(b).to_string() }),
        ),
        ("as bytes in a list", secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ").into_bytes()),
    ];
    for alignment in 0..3 {
        all.push(("base64", inner(&STANDARD_NO_PAD, secret, alignment)));
        all.push(("base64url", inner(&URL_SAFE_NO_PAD, secret, alignment)));
    }
    all
}

/// What is in base64 of any text that has the secret at this alignment: without the characters that hold bits of what
/// stands before or after it.
fn inner(alphabet: &impl base64::Engine, secret: &[u8], alignment: usize) -> Vec<u8> {
    let encoded = alphabet.encode([&vec![0; alignment], secret].concat());
    let first = (alignment * 8).div_ceil(6);
    let last = (alignment + secret.len()) * 8 / 6;
    encoded.as_bytes().get(first..last).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &[u8] = b"demo/+Zm9vYmFyYmF6cXV1eC9mb28rYmFyPT0tLS0+";

    #[test]
    fn every_spelling_is_found_wherever_it_stands() {
        let search = Search::new(SECRET).unwrap();
        let text = String::from_utf8(SECRET.to_vec()).unwrap();
        for before in ["", "a", "ab", "abc"] {
            let around = format!("{before}{text} and more");
            for told in [
                around.clone(),
                STANDARD.encode(&around),
                URL_SAFE.encode(&around),
                hex::encode(&around),
                hex::encode_upper(&around),
                around.replace('/', "%2F").replace('+', "%2b"),
                around.replace('/', "%252F").replace('+', "%252B"),
                serde_json::to_string(&around).unwrap().replace('/', "\\/"),
                around.replace('+', " "),
                around.replace('+', "%20"),
                around.bytes().map(|b| format!("\\u{b:04X}")).collect(),
                around.bytes().map(|b| format!("%{b:02x}")).collect(),
                format!("{:?}", around.as_bytes()),
                text[..SECRET.len() / 2].to_owned(),
                text[SECRET.len() / 2..].to_owned(),
            ] {
                assert!(search.find(told.as_bytes()).is_some(), "{told}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let search = Search::new(SECRET).unwrap();
        assert_eq!(search.find(b"demo-key [credential] Zm9vYmFyYmF6 demo/+"), None);
        assert_eq!(search.find(&[0; 4096]), None);
        assert!(is_compressed(b"\x1f\x8b\x08\0") && !is_compressed(b"SQLite format 3\0"));
    }
}
