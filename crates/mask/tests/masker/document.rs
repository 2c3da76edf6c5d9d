//! JSON read and masked whole, slowly: the oracle for documents.

use crate::detect;

/// A token of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// Punctuation, white space, a literal, or anything that must come out as it went in.
    Raw(String),
    /// A string that changed, as its decoded value.
    Value(String),
}

/// The tokens of a document that is known to be valid.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((from, c)) = chars.next() {
        let mut to = from + c.len_utf8();
        if c == '"' {
            let mut escaped = false;
            for (at, c) in chars.by_ref() {
                to = at + c.len_utf8();
                match c {
                    '\\' if !escaped => escaped = true,
                    '"' if !escaped => break,
                    _ => escaped = false,
                }
            }
        } else if c.is_ascii_alphanumeric() || c == '-' {
            while let Some((at, c)) = chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || "+-.".contains(*c))
            {
                to = at + c.len_utf8();
            }
        }
        out.push(text[from..to].to_owned());
    }
    out
}

/// The decoded value of a string token.
pub(crate) fn decode(token: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut chars = token[1..token.len() - 1].chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        match chars.next().unwrap() {
            'u' => {
                let hex: String = chars.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&hex, 16).unwrap());
            }
            'n' => units.push(10),
            't' => units.push(9),
            'r' => units.push(13),
            'b' => units.push(8),
            'f' => units.push(12),
            c => units.push(c as u16),
        }
    }
    String::from_utf16(&units).unwrap()
}

/// What a number becomes.
fn number(token: &str) -> Token {
    let exact = exact_digits(token).is_some_and(|digits| detect::is_card_number(&digits));
    let double = token.parse::<f64>().unwrap().abs();
    let rounded = double.fract() == 0.0
        && double <= 9_007_199_254_740_992.0
        && detect::is_card_number(&format!("{double:.0}"));
    Token::Raw(if exact || rounded { "null".to_owned() } else { token.to_owned() })
}

/// The digits of an integer, by moving the point through the text.
fn exact_digits(token: &str) -> Option<String> {
    let text = token.trim_start_matches('-').to_ascii_lowercase();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if exponent.abs() > 600 {
        return None;
    }
    let zeros = "0".repeat(600);
    let all = format!("{zeros}{whole}{fraction}{zeros}");
    let point = usize::try_from(600 + i64::try_from(whole.len()).ok()? + exponent).ok()?;
    let (integer, rest) = all.split_at(point);
    rest.chars().all(|c| c == '0').then(|| integer.trim_start_matches('0').to_owned())
}

/// What a document becomes without field rules.
pub(crate) fn masked(text: &str, secret: Option<&str>) -> Vec<Token> {
    tokens(text)
        .into_iter()
        .map(|token| {
            if token.starts_with('"') {
                let value = decode(&token);
                let masked = detect::mask(&value, secret);
                if masked == value { Token::Raw(token) } else { Token::Value(masked) }
            } else if token.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                number(&token)
            } else {
                Token::Raw(token)
            }
        })
        .collect()
}

/// Asserts that `output` is what `input` becomes: unchanged tokens to the letter, changed ones by value.
pub(crate) fn assert_masked(input: &str, output: &str, secret: Option<&str>) {
    let expected = masked(input, secret);
    let tokens = tokens(output);
    assert_eq!(tokens.len(), expected.len(), "\n in: {input}\nout: {output}");
    for (token, expected) in tokens.iter().zip(&expected) {
        match expected {
            Token::Raw(raw) => assert_eq!(token, raw, "\n in: {input}\nout: {output}"),
            Token::Value(value) => assert_eq!(&decode(token), value, "\n in: {input}\nout: {output}"),
        }
    }
}
