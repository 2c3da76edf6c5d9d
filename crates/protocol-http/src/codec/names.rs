//! The headers that change what a request is, and the rule for each.

/// What a governed header must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// It stands once at most: readers differ in whether the first or the last one counts.
    Once,
    /// It may be a list over several lines; it is governed so that nothing else looks like it.
    List,
    /// `Host`.
    Host,
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding`.
    Chunked,
    /// `Connection`.
    Connection,
    /// `Expect`.
    Expect,
    /// It asks for another protocol.
    Upgrade,
    /// It announces trailers.
    Trailer,
    /// It asks for another method or path.
    Override,
}

/// Every governed name, in lower case. At most 64: each has a bit.
pub(super) const GOVERNED: [(&str, Rule); 44] = [
    ("host", Rule::Host),
    ("content-length", Rule::Length),
    ("transfer-encoding", Rule::Chunked),
    ("connection", Rule::Connection),
    ("expect", Rule::Expect),
    ("upgrade", Rule::Upgrade),
    ("http2-settings", Rule::Upgrade),
    ("trailer", Rule::Trailer),
    ("x-http-method-override", Rule::Override),
    ("x-http-method", Rule::Override),
    ("x-method-override", Rule::Override),
    ("x-original-method", Rule::Override),
    ("x-original-url", Rule::Override),
    ("x-original-uri", Rule::Override),
    ("x-rewrite-url", Rule::Override),
    ("x-http-path-override", Rule::Override),
    ("content-type", Rule::Once),
    ("content-range", Rule::Once),
    ("content-location", Rule::Once),
    ("authorization", Rule::Once),
    ("proxy-authorization", Rule::Once),
    ("dpop", Rule::Once),
    ("cookie", Rule::Once),
    ("origin", Rule::Once),
    ("referer", Rule::Once),
    ("user-agent", Rule::Once),
    ("from", Rule::Once),
    ("date", Rule::Once),
    ("range", Rule::Once),
    ("if-range", Rule::Once),
    ("if-modified-since", Rule::Once),
    ("if-unmodified-since", Rule::Once),
    ("max-forwards", Rule::Once),
    ("idempotency-key", Rule::Once),
    ("if-match", Rule::List),
    ("if-none-match", Rule::List),
    ("content-encoding", Rule::List),
    ("accept-encoding", Rule::List),
    ("te", Rule::List),
    ("keep-alive", Rule::List),
    ("proxy-connection", Rule::List),
    ("prefer", Rule::List),
    ("forwarded", Rule::List),
    ("via", Rule::List),
];

/// The governed name that `name` is, or would be if `_` were read as `-`: its place, itself and its rule.
pub(super) fn governed(name: &[u8]) -> Option<(usize, &'static str, Rule)> {
    let same = |known: &str| {
        let mut pairs = known.bytes().zip(name);
        known.len() == name.len()
            && pairs.all(|(known, given)| {
                known == given.to_ascii_lowercase() || (known == b'-' && *given == b'_')
            })
    };
    let index = GOVERNED.iter().position(|(known, _)| same(known))?;
    GOVERNED.get(index).map(|(known, rule)| (index, *known, *rule))
}
