//! What property tests plant: values, near misses and what stands between them, in every way of writing them.

use proptest::prelude::*;

/// Values of every class, near misses and connecting text.
pub(crate) fn piece() -> impl Strategy<Value = String> {
    let values = prop::sample::select(vec![
        "alice@example.com",
        "jürgen.b+x@müller.example",
        "a@b.co",
        "用户@例子.公司",
        "o'neil@x-y.example.org",
        "%40",
        "@",
        "a@b",
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "378282246310005",
        "4222222222222",
        "4111111111111112",
        "5555 5555\u{a0}5555 4444",
        "DE89370400440532013000",
        "de89 3704 0044 0532 0130 00",
        "GB82 WEST 1234 5698 7654 32",
        "NO9386011117947",
        "DE88370400440532013000",
        "123-45-6789",
        "123 45 6789",
        "000-45-6789",
        "123.45.6789",
        "+14155552671",
        "+49 (0)30 123456",
        "(415) 555-2671",
        "415-555-2671",
        "020 7946 0958",
        "01 23 45 67 89",
        "030/1234567",
        "0044 20 7946 0958",
        "2026-11-24T15:25:48Z",
        "1700000000000",
        "550e8400-e29b-41d4-a716-446655440000",
        "41111111-1111-1111-1111-111111111111",
        "s3cr3t-t0ken",
        "s3cr3t",
        "192.168.0.1",
    ]);
    let between = prop::sample::select(vec![
        "", " ", ", ", ".", "-", "+", "(", ")", "/", ":", "@", "%", "x", "DE", "0", "7", "é", "\u{a0}", "😀",
        "_", "=", "'", "  ",
    ]);
    prop_oneof![
        4 => values.prop_map(str::to_owned),
        4 => between.prop_map(str::to_owned),
        1 => "[a-z0-9 .@+-]{0,12}",
        1 => "[0-9 -]{0,24}",
    ]
}

/// Some pieces in a row.
pub(crate) fn phrase() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..7).prop_map(|pieces| pieces.concat())
}

/// A JSON string for `value`, each character escaped or not as `how` says.
pub(crate) fn write_string(value: &str, how: &[u8]) -> String {
    let mut out = String::from("\"");
    for (c, how) in value.chars().zip(how.iter().cycle()) {
        let units = |upper: bool| {
            c.encode_utf16(&mut [0; 2])
                .iter()
                .map(|u| if upper { format!("\\u{u:04X}") } else { format!("\\u{u:04x}") })
                .collect::<String>()
        };
        match (how % 8, c) {
            (0, _) => out.push_str(&units(false)),
            (1, _) => out.push_str(&units(true)),
            (2, '/') => out.push_str("\\/"),
            (_, '"' | '\\') => out.extend(['\\', c]),
            (_, '\n') => out.push_str("\\n"),
            (_, c) if c < ' ' => out.push_str(&units(false)),
            _ => out.push(c),
        }
    }
    out + "\""
}

fn string() -> impl Strategy<Value = String> {
    // Half of the strings hold no escape at all.
    let how = prop_oneof![Just(vec![7]), prop::collection::vec(any::<u8>(), 1..9)];
    (phrase(), how).prop_map(|(value, how)| write_string(&value, &how))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "4111111111111111",
            "-4111111111111111",
            "4111111111111111.0",
            "4.111111111111111e15",
            "41111111111111110E-1",
            "4111111111111112",
            "0",
            "-0.5",
            "1700000000000",
            "1e5",
            "378282246310005",
            "411111111111111100.00e-2",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|n| n.to_string()),
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "", " ", "\n  ", "\t", "\r\n"])
}

/// A whole JSON document.
pub(crate) fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => string(),
        3 => number(),
        1 => prop::sample::select(vec!["true", "false", "null", "[]", "{}"]).prop_map(str::to_owned),
    ];
    let value = leaf.prop_recursive(4, 24, 5, |inner| {
        let array =
            (prop::collection::vec((space(), inner.clone()), 0..5), space()).prop_map(|(items, end)| {
                let items: Vec<_> = items.into_iter().map(|(space, item)| format!("{space}{item}")).collect();
                format!("[{}{end}]", items.join(","))
            });
        let member =
            (space(), string(), space(), inner).prop_map(|(a, key, b, value)| format!("{a}{key}:{b}{value}"));
        let object = (prop::collection::vec(member, 0..5), space())
            .prop_map(|(m, end)| format!("{{{}{end}}}", m.join(",")));
        prop_oneof![array, object]
    });
    (space(), value, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"))
}

/// Where to cut: sizes of chunks, used again and again.
pub(crate) fn chunks() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), prop::collection::vec(1usize..40, 1..8)]
}
