//! A target that has a normal form: the form is its own, nothing in it can be resolved or decoded away, and other readers
//! decode it to what policy saw.

#![no_main]

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

#[path = "../../src/url.rs"]
#[expect(dead_code, reason = "what the guard asks about bytes is not used here")]
mod url;

use crate::url::Normal;

fuzz_target!(|given: &str| {
    let Ok(normal) = Normal::parse(given) else { return };
    let sent = normal.to_string();
    assert_eq!(Normal::parse(&sent).as_ref(), Ok(&normal), "{sent:?} is its own normal form");
    assert!(sent.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{sent:?}");

    let path = normal.decoded_path();
    assert!(!path.contains("//") && !path.contains(['\\', ';', '\0', '\r', '\n']), "{path:?}");
    assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{path:?}");
    let again = percent_decode_str(&path).decode_utf8_lossy();
    assert_eq!(again, path, "nothing is left to decode");

    let read = ::url::Url::parse(&format!("http://a.example{sent}")).expect("a URL");
    assert_eq!(read.path(), normal.path(), "nothing is left to resolve");
    let segments: Vec<_> = read
        .path_segments()
        .expect("a path")
        .map(|part| percent_decode_str(part).decode_utf8().expect("UTF-8").into_owned())
        .collect();
    assert_eq!(segments, normal.segments());
    let parameters: Vec<_> = read.query_pairs().into_owned().collect();
    assert_eq!(parameters, normal.parameters());

    for count in 0..=normal.segments().len() {
        let below = normal.below(count).expect("as many segments");
        assert_eq!(Normal::parse(&below.to_string()), Ok(below), "what is below is a target of its own");
    }
    if let Some((name, _)) = normal.parameters().first() {
        let without = normal.without_parameter(name);
        assert!(without.parameters().iter().all(|(other, _)| !other.eq_ignore_ascii_case(name)));
        assert_eq!(Normal::parse(&without.to_string()), Ok(without), "what is left is a target of its own");
    }
});
