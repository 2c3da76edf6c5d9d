//! One case for each spelling, and the promise that the form which is sent decodes to what was decided on.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;

fn sent(given: &str) -> String {
    Normal::parse(given).unwrap_or_else(|why| panic!("{given:?}: {why}")).to_string()
}

#[test]
fn every_target_has_one_spelling() {
    for (given, normal) in [
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a/b", "/a/b"),
        ("/%61%2Db%7e", "/a-b~"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a%40b.example", "/a%40b.example"),
        ("/a@b.example", "/a@b.example"),
        ("/v1/x:cancel", "/v1/x:cancel"),
        ("/a%20b", "/a%20b"),
        ("/a+b", "/a+b"),
        ("/...", "/..."),
        ("/a?", "/a"),
        ("/a?b", "/a?b"),
        ("/a?b=", "/a?b="),
        ("/a?b=c=d", "/a?b=c=d"),
        ("/a?b=1&b=2&a=3", "/a?b=1&b=2&a=3"),
        ("/a?b+c=d+e", "/a?b%20c=d%20e"),
        ("/a?b=%2b", "/a?b=%2B"),
        ("/a?b=c/d?e", "/a?b=c/d?e"),
        ("/a?b=%2f%3B", "/a?b=%2F%3B"),
        ("/a?f[x]={y|z}", "/a?f%5Bx%5D=%7By%7Cz%7D"),
        ("/a?q=x%0Ay", "/a?q=x%0Ay"),
        ("/a?q=100%25", "/a?q=100%25"),
        ("/a?%61=%62", "/a?a=b"),
    ] {
        assert_eq!(sent(given), normal, "{given}");
    }
}

#[test]
fn what_reads_two_ways_is_refused() {
    for (given, why) in [
        ("", BadUrl::Form),
        ("*", BadUrl::Form),
        ("a", BadUrl::Form),
        ("http://a/", BadUrl::Form),
        ("?a=b", BadUrl::Form),
        ("/a#b", BadUrl::Fragment),
        ("/a?b#c", BadUrl::Fragment),
        ("/%", BadUrl::Percent),
        ("/%2", BadUrl::Percent),
        ("/%zz", BadUrl::Percent),
        ("/%u002e", BadUrl::Percent),
        ("/%+1", BadUrl::Percent),
        ("/a?b=%", BadUrl::Percent),
        ("/.", BadUrl::DotSegment),
        ("/..", BadUrl::DotSegment),
        ("/a/../b", BadUrl::DotSegment),
        ("/a/./b", BadUrl::DotSegment),
        ("/a/%2e%2E/b", BadUrl::DotSegment),
        ("/a/.%2e/", BadUrl::DotSegment),
        ("//a", BadUrl::EmptySegment),
        ("/a//b", BadUrl::EmptySegment),
        ("/a//", BadUrl::EmptySegment),
        ("//", BadUrl::EmptySegment),
        ("/a\\b", BadUrl::Separator),
        ("/a%5cb", BadUrl::Separator),
        ("/a%2fb", BadUrl::Separator),
        ("/a%2Fb", BadUrl::Separator),
        ("/a?b\\c", BadUrl::Separator),
        ("/a;b=c", BadUrl::Semicolon),
        ("/a/..;/b", BadUrl::Semicolon),
        ("/a%3Bb", BadUrl::Semicolon),
        ("/a?b=c;d=e", BadUrl::Semicolon),
        ("/a%00", BadUrl::Control),
        ("/a%0d%0ab", BadUrl::Control),
        ("/a%7f", BadUrl::Control),
        ("/a%c2%85", BadUrl::Control),
        ("/a\n", BadUrl::Control),
        ("/a?b%0a=c", BadUrl::Control),
        ("/a?b=%00", BadUrl::Control),
        ("/%c0%ae%c0%ae/", BadUrl::Utf8),
        ("/%e0%80%ae", BadUrl::Utf8),
        ("/%ed%a0%80", BadUrl::Utf8),
        ("/%ff", BadUrl::Utf8),
        ("/a?b=%e9", BadUrl::Utf8),
        ("/é", BadUrl::Raw),
        ("/a b", BadUrl::Raw),
        ("/a\"b", BadUrl::Raw),
        ("/a<b>", BadUrl::Raw),
        ("/a[0]", BadUrl::Raw),
        ("/a?b=<", BadUrl::Raw),
        ("/%252e%252e/", BadUrl::TwiceEncoded),
        ("/%25%32%65", BadUrl::TwiceEncoded),
        ("/a?b=%2526", BadUrl::TwiceEncoded),
        ("/a?=b", BadUrl::NoName),
        ("/a?b&&c", BadUrl::NoName),
        ("/a?&", BadUrl::NoName),
        ("/a?b&", BadUrl::NoName),
        ("/a?_method=DELETE", BadUrl::MethodOverride),
        ("/a?%5Fmethod=DELETE", BadUrl::MethodOverride),
        ("/a?_HttpMethod=PATCH", BadUrl::MethodOverride),
    ] {
        assert_eq!(Normal::parse(given), Err(why), "{given:?}");
    }
}

#[test]
fn targets_are_bounded_as_given_and_as_sent() {
    let given = |letter: &str, count: usize| format!("/?{}", letter.repeat(count));
    assert!(Normal::parse(&given("a", MAX_LENGTH - 2)).is_ok());
    assert_eq!(Normal::parse(&given("a", MAX_LENGTH - 1)), Err(BadUrl::TooLong));
    assert_eq!(Normal::parse(&given("[", MAX_LENGTH / 2)), Err(BadUrl::TooLong));
}

#[test]
fn policies_read_the_decoded_path_whatever_its_spelling() {
    for given in ["/a%40b/c%2Cd", "/a@b/c,d", "/%61@b/c%2cd"] {
        assert_eq!(Normal::parse(given).unwrap().decoded_path(), "/a@b/c,d");
    }
    let normal = Normal::parse("/a/?x=1&x=&y").unwrap();
    assert_eq!(normal.segments(), ["a", ""]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(normal.parameters(), [pair("x", "1"), pair("x", ""), pair("y", "")]);
}

#[test]
fn what_is_below_a_mount_begins_with_a_slash() {
    let below =
        |given: &str, count| Normal::parse(given).unwrap().below(count).map(|normal| normal.to_string());
    assert_eq!(below("/t/crm/customers/7?q=1", 2).as_deref(), Some("/customers/7?q=1"));
    assert_eq!(below("/t/crm", 2).as_deref(), Some("/"));
    assert_eq!(below("/t/crm/", 2).as_deref(), Some("/"));
    assert_eq!(below("/t/crm/a/", 2).as_deref(), Some("/a/"));
    assert_eq!(below("/t/crm/a", 0).as_deref(), Some("/t/crm/a"));
    assert_eq!(below("/t", 2), None);
}

#[test]
fn a_parameter_is_taken_out_of_both_forms() {
    let normal = Normal::parse("/a?key=s%40&b=1&KEY=t&c").unwrap().without_parameter("key");
    assert_eq!(normal.to_string(), "/a?b=1&c");
    assert_eq!(Ok(normal), Normal::parse("/a?b=1&c"));
    assert_eq!(Normal::parse("/a?key=s").unwrap().without_parameter("key"), Normal::parse("/a").unwrap());
}

fn targets() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z0-9._~:@,+*-]{1,4}",
        2 => prop::sample::select(vec!["/", "%2F", "%2e", "%C3%A9", "%40", "%20", "%25", "%2b", "%3b", "%41", "%0a"])
            .prop_map(str::to_owned),
        2 => prop::sample::select(vec!["/", "?", "&", "=", "%", "[", "]", "|", ";", "\\", "#", ".", "..", "//"])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #[test]
    fn what_is_sent_is_its_own_normal_form_and_decodes_to_what_was_decided_on(given in targets()) {
        let Ok(normal) = Normal::parse(&given) else { return Ok(()) };
        let sent = normal.to_string();
        prop_assert_eq!(Normal::parse(&sent), Ok(normal.clone()));

        let url = ::url::Url::parse(&format!("http://a.example{sent}")).unwrap();
        prop_assert_eq!(url.path(), normal.path(), "no reader resolves or rewrites it");
        // Browsers encode the apostrophe in a query; everybody decodes it.
        let query = normal.query().map(|query| query.replace('\'', "%27"));
        prop_assert_eq!(url.query(), query.as_deref());
        let segments: Vec<_> =
            url.path_segments().unwrap().map(|part| percent_decode_str(part).decode_utf8().unwrap()).collect();
        prop_assert_eq!(&segments, normal.segments());
        let parameters: Vec<_> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(&parameters, normal.parameters());

        let plain = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let plainly: Vec<_> = normal.query().into_iter().flat_map(|query| query.split('&')).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (plain(name), plain(value))
        }).collect();
        prop_assert_eq!(&plainly, normal.parameters(), "with and without the reading of forms");
    }
}
