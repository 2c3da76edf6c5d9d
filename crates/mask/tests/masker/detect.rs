//! What is personal data, said a second time and slowly: every substring that could be a value is tried against a regular
//! expression and a checksum. It shares no code with the detectors.

use std::sync::LazyLock;

use regex::Regex;

/// A match in a whole text: from, to, class.
pub(crate) type Span = (usize, usize, &'static str);

const SPACE: &str = "[ \u{a0}\u{2007}\u{2009}\u{202f}]";
const DASH: &str = "[-\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}]";

fn whole(pattern: &str) -> Regex {
    let pattern = pattern.replace("SPACE", SPACE).replace("DASH", DASH);
    Regex::new(&format!("^(?:{pattern})$")).unwrap()
}

/// The text with every match replaced, overlapping ones together.
pub(crate) fn mask(text: &str, secret: Option<&str>) -> String {
    cut(text, spans(text, secret))
}

pub(crate) fn cut(text: &str, mut spans: Vec<Span>) -> String {
    spans.sort_by_key(|(from, to, class)| {
        (*from, *class != "credential", std::cmp::Reverse(*to), rank(class))
    });
    let mut out = String::new();
    let mut done = 0;
    for (from, to, class) in spans {
        if from >= done {
            out.push_str(&text[done..from]);
            out.push_str(&format!("[{class}]"));
        }
        done = done.max(to);
    }
    out + &text[done..]
}

fn rank(class: &str) -> usize {
    ["email", "card", "iban", "ssn", "phone"].iter().position(|c| *c == class).unwrap_or(0)
}

pub(crate) fn spans(text: &str, secret: Option<&str>) -> Vec<Span> {
    let mut found = Vec::new();
    if let Some(secret) = secret {
        found.extend(
            (0..text.len())
                .filter(|i| text.as_bytes()[*i..].starts_with(secret.as_bytes()))
                .map(|i| (i, i + secret.len(), "credential")),
        );
    }
    for at in 0..text.len() {
        if text.is_char_boundary(at) {
            found.extend(email(text, at).map(|(from, to)| (from, to, "email")));
            for (class, longest) in [("card", 80), ("ssn", 16), ("iban", 140), ("phone", 180)] {
                found.extend(number(text, at, class, longest).map(|to| (at, to, class)));
            }
        }
    }
    found
}

/// The address whose `@` is at `at`.
fn email(text: &str, at: usize) -> Option<(usize, usize)> {
    static DOMAIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[\p{Alphabetic}\p{Nd}\p{Nl}\p{No}_-]*[\p{Alphabetic}\p{Nd}\p{Nl}\p{No}][_-]*\.)+")
            .unwrap()
    });
    let sign = ["@", "%40", "\\u0040"].into_iter().find(|sign| text[at..].starts_with(sign))?;
    let local: String = text[..at].chars().rev().take_while(|c| is_local(*c)).collect();
    let mut from = at;
    for c in local.chars() {
        if at - from + c.len_utf8() > 64 {
            break;
        }
        from -= c.len_utf8();
    }
    let from = from + text[from..at].find(|c: char| c.is_alphanumeric() || c == '_')?;
    let rest = &text[at + sign.len()..];
    // The labels one by one, for every prefix that ends with a label which may be the last.
    let mut best = None;
    for end in (1..=rest.len().min(255)).filter(|end| rest.is_char_boundary(*end)) {
        let domain = &rest[..end];
        let next = rest[end..].chars().next().filter(|_| end < 255);
        let Some((labels, last)) = domain.rsplit_once('.') else { continue };
        let full = format!("{labels}.");
        let labels_fit = DOMAIN.find(&full).is_some_and(|m| m.len() == full.len());
        let label = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        // The last label is taken whole, but for punctuation at its end.
        let tail: String = rest[end..].chars().take_while(|c| label(*c)).collect();
        let chars = last.chars().count() + tail.chars().count();
        let last_fits = last.chars().all(label)
            && last.chars().next_back().is_some_and(char::is_alphanumeric)
            && tail.chars().all(|c| !c.is_alphanumeric())
            && chars >= 2
            && last.chars().any(|c| c.is_alphanumeric() && !c.is_ascii_digit());
        let _ = next;
        if labels_fit && last_fits {
            best = Some((from, at + sign.len() + end));
        }
    }
    best
}

fn is_local(c: char) -> bool {
    (c.is_ascii() && (c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)))
        || (!c.is_ascii() && c.is_alphanumeric())
}

/// The end of the longest number of a class that begins at `at`.
fn number(text: &str, at: usize, class: &str, longest: usize) -> Option<usize> {
    let before: Vec<char> = text[..at].chars().rev().take(2).collect();
    let word_before = before.first().is_some_and(char::is_ascii_alphanumeric);
    let digit_and = |marks: &str| {
        before.first().is_some_and(|c| marks.contains(*c)) && before.get(1).is_some_and(char::is_ascii_digit)
    };
    let first = text[at..].chars().next()?;
    let may_begin = match class {
        "card" => first.is_ascii_digit() && !word_before && !digit_and("."),
        "ssn" => first.is_ascii_digit() && !word_before && !digit_and("-./"),
        "iban" => first.is_ascii_alphabetic() && !word_before,
        _ if first == '+' => !word_before,
        _ => (first.is_ascii_digit() || first == '(') && !word_before && !digit_and("-./+"),
    };
    if !may_begin {
        return None;
    }
    let part = |c: char| match class {
        "iban" => c.is_ascii_alphanumeric() || is_between(c),
        "phone" => c.is_ascii_digit() || is_between(c) || "+()".contains(c),
        _ => c.is_ascii_digit() || is_between(c),
    };
    let extent = text[at..].find(|c| !part(c)).unwrap_or(text.len() - at).min(longest);
    let ends = (at + 1..=at + extent).rev().filter(|end| text.is_char_boundary(*end));
    let mut ends = ends.filter(|end| !text[*end..].starts_with(|c: char| c.is_ascii_alphanumeric()));
    let end = ends.find(|end| {
        let (value, rest) = (&text[at..*end], &text[*end..]);
        match class {
            "card" => is_card(value),
            "ssn" => is_ssn(value) && !mark_and_digit(rest, "-./"),
            "iban" => is_iban(value),
            _ => is_phone(value, rest),
        }
    })?;
    let uuid = class == "card" || class == "phone";
    (!(uuid && in_uuid(text, at, end, first))).then_some(end)
}

/// Whether a character can stand between two groups.
fn is_between(c: char) -> bool {
    " -./\u{a0}\u{2007}\u{2009}\u{202f}\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}".contains(c)
}

fn mark_and_digit(rest: &str, marks: &str) -> bool {
    let mut chars = rest.chars();
    chars.next().is_some_and(|c| marks.contains(c)) && chars.next().is_some_and(|c| c.is_ascii_digit())
}

fn in_uuid(text: &str, at: usize, end: usize, first: char) -> bool {
    static UUID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}").unwrap());
    first.is_ascii_digit()
        && [0, 9, 14, 19, 24].iter().filter_map(|offset| at.checked_sub(*offset)).any(|start| {
            text.is_char_boundary(start)
                && end <= start + 36
                && UUID.is_match(&text[start..])
                && !text[..start].ends_with(|c: char| c.is_ascii_alphanumeric())
                && !text[start + 36..].starts_with(|c: char| c.is_ascii_alphanumeric())
        })
}

pub(crate) fn is_card_number(digits: &str) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let network = digits.starts_with(|c| ('2'..='6').contains(&c))
        || (digits.starts_with('1') && digits.len() == 15)
        || (["81", "82", "9792"].iter().any(|p| digits.starts_with(p)) && digits.len() >= 16);
    let mut sum = 0;
    for (i, c) in digits.chars().rev().enumerate() {
        let digit = c.to_digit(10).unwrap() * if i % 2 == 1 { 2 } else { 1 };
        sum += digit / 10 + digit % 10;
    }
    network && sum % 10 == 0
}

fn is_card(value: &str) -> bool {
    static SHAPE: LazyLock<Regex> = LazyLock::new(|| whole(r"(?:[0-9]{3,}(?:SPACE|DASH))*[0-9]+"));
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    SHAPE.is_match(value) && is_card_number(&digits)
}

fn is_ssn(value: &str) -> bool {
    static SHAPE: LazyLock<Regex> =
        LazyLock::new(|| whole(r"[0-9]{3}(?:SPACE[0-9]{2}SPACE|DASH[0-9]{2}DASH|\.[0-9]{2}\.)[0-9]{4}"));
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let never = |d: &str| {
        d.starts_with("000")
            || d.starts_with("666")
            || d.starts_with('9')
            || &d[3..5] == "00"
            || &d[5..] == "0000"
    };
    SHAPE.is_match(value) && !never(&digits)
}

const IBANS: &str = concat!(
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 ",
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 ",
    "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 ",
    "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 ",
    "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
);

fn is_iban(value: &str) -> bool {
    static SHAPE: LazyLock<Regex> =
        LazyLock::new(|| whole(r"[A-Za-z]{2}[0-9](?:[0-9])(?:(?:SPACE|DASH)?[0-9A-Za-z])+"));
    static SPLIT: LazyLock<Regex> =
        LazyLock::new(|| whole(r"[A-Za-z]{2}[0-9](?:(?:SPACE|DASH)?[0-9])(?:(?:SPACE|DASH)?[0-9A-Za-z])+"));
    // The separator may not stand before the third character; before the fourth it may.
    if !SHAPE.is_match(value) && !SPLIT.is_match(value) {
        return false;
    }
    let bare: String =
        value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    let Some(length) =
        IBANS.split(' ').find_map(|entry| entry.strip_prefix(&bare[..2])?.parse::<usize>().ok())
    else {
        return false;
    };
    if bare.len() != length {
        return false;
    }
    let turned = format!("{}{}", &bare[4..], &bare[..4]);
    let mut rest = 0;
    for c in turned.chars() {
        let n = c.to_digit(36).unwrap();
        rest = if n > 9 { (rest * 100 + n) % 97 } else { (rest * 10 + n) % 97 };
    }
    rest == 1
}

fn is_phone(value: &str, rest: &str) -> bool {
    static INTERNATIONAL: LazyLock<Regex> =
        LazyLock::new(|| whole(r"\+ ?\(?[1-9][0-9]*(?:(?:[()]|SPACE|DASH|[./]){1,3}[0-9]+)*"));
    static DOUBLE_ZERO: LazyLock<Regex> = LazyLock::new(|| {
        whole(
            r"00[1-9][0-9]{0,3}(?:SPACE|DASH|[./])(?:[()]|SPACE|DASH|[./]){0,2}[0-9]+(?:(?:[()]|SPACE|DASH|[./]){1,3}[0-9]+)*",
        )
    });
    static AMERICAN: LazyLock<Regex> = LazyLock::new(|| {
        whole(concat!(
            r"(?:1(?:SPACE|DASH|[./]))?(?:",
            r"\([2-9][0-9]{2}\)(?:SPACE|DASH|[./])?[2-9][0-9]{2}(?:SPACE|DASH|\.)[0-9]{4}",
            r"|[2-9][0-9]{2}SPACE[2-9][0-9]{2}(?:SPACE|DASH)[0-9]{4}",
            r"|[2-9][0-9]{2}DASH[2-9][0-9]{2}DASH[0-9]{4}",
            r"|[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}",
            r"|[2-9][0-9]{2}/[2-9][0-9]{2}DASH[0-9]{4}",
            ")",
        ))
    });
    static TRUNK: LazyLock<Regex> =
        LazyLock::new(|| whole(r"0[1-9][0-9]*(?:(?:SPACE[0-9]{2,})+|(?:DASH[0-9]{2,})+|(?:\.[0-9]{2,})+)"));
    static SLASH: LazyLock<Regex> = LazyLock::new(|| {
        whole(r"0[1-9][0-9]+/[0-9]{2,}(?:(?:SPACE[0-9]{2,})*|(?:DASH[0-9]{2,})*|(?:\.[0-9]{2,})*)")
    });
    static TRUNK_PAREN: LazyLock<Regex> = LazyLock::new(|| {
        whole(concat!(
            r"\(0[1-9][0-9]*\)(?:SPACE|DASH|\.)?[0-9]{2,}",
            r"(?:(?:SPACE[0-9]{2,})*|(?:DASH[0-9]{2,})*|(?:\.[0-9]{2,})*)"
        ))
    });
    let trunk = TRUNK.is_match(value) || TRUNK_PAREN.is_match(value);
    let digits = value.chars().filter(char::is_ascii_digit).count();
    (INTERNATIONAL.is_match(value) && (8..=15).contains(&digits))
        || (DOUBLE_ZERO.is_match(value) && (11..=17).contains(&digits))
        || (AMERICAN.is_match(value) && !mark_and_digit(rest, "-."))
        || (trunk && (10..=11).contains(&digits) && !mark_and_digit(rest, ":-./"))
        || (SLASH.is_match(value) && (8..=12).contains(&digits) && !mark_and_digit(rest, ":-./"))
}
