//! References in an answer's headers: those that lead to the target lead through the gateway.

use ::url::Url;
use gate::model::{Address, Scheme};

use crate::url::Normal;

/// Where a target's paths are found at the gateway, and what a relative reference in its answer is relative to.
#[derive(Debug, Clone)]
pub struct Mount<'a> {
    path: &'a str,
    base: &'a str,
    sent: Option<Url>,
}

impl<'a> Mount<'a> {
    /// `path` is what stands before the target's paths at the gateway, without a slash at its end: `/t/crm`, or nothing
    /// where the target has a host name of its own. `base` is what stands before them at the target: `/v2`, or nothing.
    /// `sent` is what was asked of `address`, below `base`.
    #[must_use]
    pub fn new(path: &'a str, base: &'a str, address: &Address, sent: &Normal) -> Self {
        let scheme = match address.scheme {
            Scheme::Plain => "http",
            Scheme::Tls => "https",
        };
        Self { path, base, sent: Url::parse(&format!("{scheme}://{address}{base}{sent}")).ok() }
    }

    /// The reference as the caller must follow it: one to the target below the mount, one to elsewhere in full and without
    /// user or password. `None` for what is no HTTP reference, or leads to a target that the gateway would refuse.
    ///
    /// The reference is read as browsers read it and written anew, so that no other reader finds another host in it.
    pub(super) fn rewrite(&self, reference: &str) -> Option<String> {
        let sent = self.sent.as_ref()?;
        let mut url = sent.join(reference).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        if let Some(path) = self.below(&url, sent) {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let normal = Normal::parse(&format!("{path}{query}")).ok()?;
            let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
            // The query stays as the target spelt it: a `+` that became `%20` would hide a credential with a plus in it
            // from the mask. It is normalised when the caller follows it.
            return Some(format!("{}{}{query}{fragment}", self.path, normal.path()));
        }
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(url.into())
    }

    /// The path below the target's base, where `url` leads to the target. A target behind something that speaks TLS for it
    /// often names itself by the other scheme, so the scheme's own port is the target's too.
    fn below<'u>(&self, url: &'u Url, sent: &Url) -> Option<&'u str> {
        let same_port = url.port().is_none() || url.port_or_known_default() == sent.port_or_known_default();
        if url.host() != sent.host() || !same_port {
            return None;
        }
        let path = url.path().strip_prefix(self.base)?;
        if path.is_empty() { Some("/") } else { path.starts_with('/').then_some(path) }
    }

    /// A `Link` header (RFC 8288) with each of its references rewritten. `None` when it cannot be read or one of them
    /// cannot be shown.
    pub(super) fn rewrite_links(&self, value: &str) -> Option<String> {
        let mut out = String::with_capacity(value.len());
        let mut rest = value;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return Some(out).filter(|out| !out.is_empty());
            }
            let (reference, after) = rest.strip_prefix('<')?.split_once('>')?;
            let end = end_of_parameters(after)?;
            let (parameters, next) = after.split_at_checked(end)?;
            if !out.is_empty() {
                out.push_str(", ");
            }
            out.push_str(&format!("<{}>{}", self.rewrite(reference)?, parameters.trim_end()));
            rest = next;
        }
    }
}

/// Where the parameters of one link end: at the first comma outside quotes. `None` when quotes stay open or a second
/// reference stands where a parameter should.
fn end_of_parameters(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return Some(index),
            b'<' | b'>' if !quoted => return None,
            _ => {}
        }
    }
    if quoted { None } else { Some(text.len()) }
}
