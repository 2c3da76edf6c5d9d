//! Time, injected: stages take a [`Clock`], so that tests can set it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds since the Unix epoch, UTC. Printed and serialized as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since the Unix epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by `by`, at most the end of time.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => serializer.collect_str(&format_args!("{time:.6}")),
            Err(_) => Err(serde::ser::Error::custom("time out of range")),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        Ok(Self(time.as_microsecond()))
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock, shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self)
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is injected everywhere else")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// How long something may live: a positive whole number of seconds, minutes or hours, at most a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(u32);

/// Text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: write a whole number with `s`, `m` or `h`, from `1s` to `24h`")]
pub struct BadDuration;

impl Ttl {
    /// Parses `30s`, `5m`, `1h`.
    ///
    /// # Errors
    /// [`BadDuration`] when it is zero, longer than a day or written otherwise.
    pub fn parse(text: &str) -> Result<Self, BadDuration> {
        let (number, unit) = match text.as_bytes() {
            [number @ .., b's'] => (number, 1),
            [number @ .., b'm'] => (number, 60),
            [number @ .., b'h'] => (number, 3600),
            _ => return Err(BadDuration),
        };
        let digits = std::str::from_utf8(number).map_err(|_| BadDuration)?;
        if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadDuration);
        }
        let secs = digits.parse::<u32>().map_err(|_| BadDuration)?.saturating_mul(unit);
        if (1..=86_400).contains(&secs) { Ok(Self(secs)) } else { Err(BadDuration) }
    }

    /// A number of seconds, brought into the range of one second to a day.
    #[must_use]
    pub const fn from_secs_clamped(secs: u32) -> Self {
        if secs == 0 {
            Self(1)
        } else if secs > 86_400 {
            Self(86_400)
        } else {
            Self(secs)
        }
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    /// In seconds.
    #[must_use]
    pub const fn secs(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_spelling() {
        assert_eq!(Ttl::parse("30s").unwrap().secs(), 30);
        assert_eq!(Ttl::parse("5m").unwrap().secs(), 300);
        for bad in ["", "s", "0s", "-1s", "+1s", "1", "25h", "1d", "1.5s", " 1s", "9999999s"] {
            assert!(Ttl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn time_survives_serialization_to_the_microsecond() {
        let time = Timestamp::from_micros(1_795_000_000_123_456);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
    }
}
