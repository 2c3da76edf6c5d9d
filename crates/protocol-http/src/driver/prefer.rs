//! `Prefer: wait=N` (RFC 7240, section 4.3): how long a caller waits for a signature.

use std::time::Duration;

use gate::Waiting;
use gate::model::ApprovalNotice;
use http::HeaderMap;

const DEFAULT: Duration = Duration::from_secs(30);

/// The most that a caller is held for, whatever it prefers.
const MOST: Duration = Duration::from_secs(300);

/// A caller over HTTP: held for a while in silence, then told to come back.
pub(crate) struct Held(Duration);

impl Held {
    /// As the request's head prefers. What is not understood in it is ignored, as the RFC says.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let all = headers.get_all("prefer");
        let preferences =
            all.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let mut wait = preferences.filter_map(|preference| {
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("wait")
                .then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
        });
        Self(wait.next_back().map_or(DEFAULT, Duration::from_secs).min(MOST))
    }
}

impl Waiting for Held {
    fn patience(&self) -> Duration {
        self.0
    }

    fn asked(&self, _: &ApprovalNotice) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(value: &'static str) -> u64 {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", http::HeaderValue::from_static(value));
        Held::of(&headers).0.as_secs()
    }

    #[test]
    fn a_caller_is_held_as_long_as_it_prefers_but_not_for_ever() {
        assert_eq!(held("wait=5"), 5);
        assert_eq!(held("respond-async, wait = 7; x"), 7);
        assert_eq!(held("wait=0"), 0);
        assert_eq!(held("wait=99999999"), 300);
        for ignored in ["wait=-1", "wait", "wait=x", "return=minimal"] {
            assert_eq!(held(ignored), 30, "{ignored}");
        }
        assert_eq!(Held::of(&HeaderMap::new()).0.as_secs(), 30);
    }
}
