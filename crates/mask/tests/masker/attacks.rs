//! The ways in which a value or the credential could slip through.

use mask::{Content, Withheld};

use crate::{assert_any_chunking, mask_chunked, mask_whole, plan, secret_only};

#[test]
fn a_value_split_at_any_byte_is_found() {
    for (content, input, output) in [
        (Content::Text, "x alice@example.com, +1 (415) 555-2671 y", "x [email], [phone] y"),
        (
            Content::Json,
            r#"{"k":"al\u0069ce@ex\u0061mple.com","n":4111111111111111}"#,
            r#"{"k":"[email]","n":null}"#,
        ),
        (
            Content::EventStream,
            "data: {\"k\":\"alice\\u0040example.com\"}\n\n",
            "data: {\"k\":\"[email]\"}\n\n",
        ),
    ] {
        assert_eq!(mask_whole(&plan(), content, input.as_bytes()).unwrap(), output);
        for at in 1..input.len() {
            assert_any_chunking(&plan(), content, input.as_bytes(), &[at, input.len()]);
        }
        assert_any_chunking(&plan(), content, input.as_bytes(), &[1]);
    }
}

#[test]
fn an_encoded_at_sign_is_an_at_sign() {
    assert_eq!(
        mask_whole(&plan(), Content::Json, br#"{"next":"/users?email=alice%40example.com&n=2"}"#).unwrap(),
        r#"{"next":"/[email]&n=2"}"#
    );
    assert_eq!(
        mask_whole(&plan(), Content::Json, br#""{\"mail\":\"alice\\u0040example.com\"}""#).unwrap(),
        r#""{\"mail\":\"[email]\"}""#
    );
}

#[test]
fn the_credential_is_cut_out_in_every_form() {
    let plan = secret_only(b"s3cr3t/+? k\xc3\xa9y");
    for form in [
        "s3cr3t/+? kéy",
        "7333637233742f2b3f206bc3a979",
        "7333637233742F2B3F206BC3A979",
        "s3cr3t%2F%2B%3F%20k%C3%A9y",
        "s3cr3t%2f%2b%3f+k%c3%a9y",
        "%73%33%63%72%33%74%2f%2b%3f%20%6b%c3%a9%79",
        "czNjcjN0Lys/IGvDqXk=",
        "czNjcjN0Lys_IGvDqXk",
        "czNjcjN0Lys%2FIGvDqXk%3D",
    ] {
        for content in [Content::Text, Content::EventStream] {
            let output = mask_whole(&plan, content, format!("a {form} b\n").as_bytes()).unwrap();
            assert!(output.starts_with("a [credential]") && output.ends_with(" b\n"), "{form}: {output}");
            assert!(!output.contains("czNj") && !output.contains("s3cr"), "{form}: {output}");
        }
        let output =
            mask_whole(&plan, Content::Json, format!("{{\"a\":\"{form}\",\"{form}\":1}}").as_bytes())
                .unwrap();
        assert_eq!(output.matches("[credential]").count(), 2, "{form}: {output}");
        assert_any_chunking(&plan, Content::Json, format!("[\"{form}\"]").as_bytes(), &[1]);
        assert_any_chunking(&plan, Content::Text, format!("a {form} b\n").as_bytes(), &[1]);
        let (out, result, _) =
            mask_chunked(&plan, Content::Opaque, format!("\0\u{ff}{form}").as_bytes(), &[3]);
        assert_eq!(result, Err(Withheld::Credential), "{form}");
        assert!(!String::from_utf8_lossy(&out).contains(form));
    }
    let escaped = br#"["\u00733cr3t\/\u002b? k\u00e9y"]"#;
    assert_eq!(mask_whole(&plan, Content::Json, escaped).unwrap(), r#"["[credential]"]"#);
    assert_eq!(mask_whole(&plan, Content::Text, escaped).unwrap(), r#"["[credential]"]"#);
    assert_eq!(mask_whole(&plan, Content::Json, br#""%73\u00333cr3t""#).unwrap(), r#""%73\u00333cr3t""#);
    assert_eq!(
        mask_whole(&plan, Content::Json, br#""\u002573\u00333cr3t s3cr3t\u002F%2b? k\u00e9y""#).unwrap(),
        r#""\u002573\u00333cr3t [credential]""#
    );
}

#[test]
fn basic_credentials_are_found_behind_any_user() {
    let plan = secret_only(b"open-sesame-42");
    for (user, header) in
        [("", "Om9wZW4tc2VzYW1lLTQy"), ("u", "dTpvcGVuLXNlc2FtZS00Mg=="), ("us", "dXM6b3Blbi1zZXNhbWUtNDI=")]
    {
        let output = mask_whole(&plan, Content::Json, format!("[\"Basic {header}\"]").as_bytes()).unwrap();
        assert!(output.contains("[credential]"), "{user}: {output}");
    }
}

#[test]
fn a_credential_across_structure_is_withheld() {
    let plan = secret_only(br#"one","two"#);
    assert_eq!(mask_whole(&plan, Content::Json, br#"["one","two"]"#), Err(Withheld::Credential));
    assert_eq!(mask_whole(&plan, Content::Json, br#"["one", "two"]"#).unwrap(), r#"["one", "two"]"#);
    assert_eq!(mask_whole(&plan, Content::Json, br#"["one\",\"two"]"#).unwrap(), r#"["[credential]"]"#);
    for input in [&br#"["one","two"]"#[..], br#"["one\",\"two"]"#, br#"["one","tw"]"#] {
        assert_any_chunking(&plan, Content::Json, input, &[1]);
    }
    let plan = secret_only(b"1234,5678");
    assert_eq!(mask_whole(&plan, Content::Json, b"[1234,5678]"), Err(Withheld::Credential));
    assert_eq!(mask_whole(&plan, Content::Json, b"[\"1234,5678\"]").unwrap(), "[\"[credential]\"]");
    let plan = secret_only(br"back\nslash");
    assert_eq!(mask_whole(&plan, Content::Json, br#"["back\nslash"]"#), Err(Withheld::Credential));
    assert_eq!(mask_whole(&plan, Content::Json, br#"["back\\nslash"]"#).unwrap(), r#"["[credential]"]"#);
}

#[test]
fn a_credential_that_is_a_number_is_found_among_numbers() {
    let plan = secret_only(b"12345678");
    for input in ["12345678", "1.2345678e7", "123456780e-1", "912345678", "12345678.5"] {
        assert_eq!(mask_whole(&plan, Content::Json, input.as_bytes()).unwrap(), "null", "{input}");
    }
    assert_eq!(mask_whole(&plan, Content::Json, b"[1234567, 87654321]").unwrap(), "[1234567, 87654321]");
}

#[test]
fn a_credential_of_several_lines_is_found_whole_and_by_its_lines() {
    let secret = b"-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASC\nATAwggFjAgEAAkEAq7BFUpkGp3+LQmlQ\n-----END KEY-----";
    let plan = secret_only(secret);
    let whole = String::from_utf8(secret.to_vec()).unwrap();
    assert_eq!(mask_whole(&plan, Content::Text, whole.as_bytes()).unwrap(), "[credential]");
    let escaped = format!("[\"{}\"]", whole.replace('\n', "\\n"));
    assert_eq!(mask_whole(&plan, Content::Json, escaped.as_bytes()).unwrap(), "[\"[credential]\"]");
    let events: String = whole.lines().map(|line| format!("data: {line}\n")).collect();
    let output = mask_whole(&plan, Content::EventStream, events.as_bytes()).unwrap();
    assert!(!output.contains("MIIB") && !output.contains("ATAw"), "{output}");
}

#[test]
fn overlapping_readings_are_masked_together() {
    for (input, output) in [
        ("4111111111111111@example.com", "[email]"),
        ("a@b.com@c.com", "[email]"),
        ("s3cr3t-t0ken@example.com", "[credential]"),
        ("415-555-2671, 4111 1111 1111 1111", "[phone], [card]"),
    ] {
        assert_eq!(mask_whole(&plan(), Content::Text, input.as_bytes()).unwrap(), output, "{input}");
    }
}

#[test]
fn withheld_never_says_what_stood_there() {
    for input in
        [&b"{\"alice@example.com\" alice@example.com"[..], b"\"alice@example.com\xff", b"[alice@example.com]"]
    {
        let error = mask_whole(&plan(), Content::Json, input).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
    }
}
