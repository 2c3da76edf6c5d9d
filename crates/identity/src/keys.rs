//! The keys of one issuer: kept, looked up without waiting, and fetched again in time.
//!
//! One fetch is under way at a time, in a task of its own, so that a caller who leaves cancels nothing. Who needs its result
//! waits for it, and for no second one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use model::{Clock, Timestamp};
use tokio::sync::watch;
use url::Url;

use crate::fetch::DEADLINE;
use crate::key_set::{Key, KeySet};
use crate::remembered::Remembered;
use crate::{Algorithm, Fetch, FetchError, IssuerSettings, discovery, key_set};

/// Keys are fetched again after this, unasked.
const REFRESH: Duration = Duration::from_secs(600);

/// Between two fetches lies at least this, however many unknown keys are asked for.
const PAUSE: Duration = Duration::from_secs(10);

/// Between a failure and the next attempt lies at least this while there are no keys at all, twice as long after each
/// further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Between two attempts lies no more than this, however often they fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Keys serve for this long after they were fetched, should the issuer be out of reach.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// Why keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A token names a key that is not in the set.
    UnknownKey,
    /// They have become old.
    Age,
}

/// The keys of one issuer.
pub(crate) struct Keys {
    settings: Arc<IssuerSettings>,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    remembered: Arc<Remembered>,
    set: ArcSwap<KeySet>,
    attempts: Mutex<Attempts>,
    /// Counts the fetches that have ended.
    ended: watch::Sender<u64>,
}

/// What has been tried.
#[derive(Default)]
struct Attempts {
    under_way: bool,
    last: Option<Timestamp>,
    /// How many have failed since one has not.
    failures: u32,
    error: Option<FetchError>,
}

impl Keys {
    pub(crate) fn new(
        settings: Arc<IssuerSettings>,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
        remembered: Arc<Remembered>,
    ) -> Self {
        Self {
            settings,
            fetch,
            clock,
            remembered,
            set: ArcSwap::default(),
            attempts: Mutex::default(),
            ended: watch::Sender::new(0),
        }
    }

    /// The keys that may have signed a token with this `kid` and algorithm.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Vec<Arc<Key>> {
        self.set.load().find(id, algorithm, now)
    }

    /// Whether the issuer's tokens can be judged now.
    pub(crate) fn serves_at(&self, now: Timestamp) -> bool {
        self.set.load().serves_at(now)
    }

    /// What the last attempt said.
    pub(crate) fn last_error(&self) -> FetchError {
        self.lock().error.clone().unwrap_or(FetchError::BackingOff)
    }

    /// Fetches the keys if that is due, and waits for the fetch that is under way; at once otherwise. Dropping the future
    /// only ends the waiting.
    pub(crate) async fn fetch(self: &Arc<Self>, why: Why) {
        let mut ended = self.ended.subscribe();
        {
            let mut attempts = self.lock();
            if !attempts.under_way {
                if !attempts.is_due(self.clock.now(), self.pause(&attempts, why)) {
                    return;
                }
                attempts.under_way = true;
                tokio::spawn(UnderWay(Arc::clone(self)).run());
            }
        }
        // An attempt has its own deadlines; this one is for a task that died with its runtime.
        let _ = tokio::time::timeout(3 * DEADLINE, ended.changed()).await;
    }

    /// Keeps the keys fresh for ever.
    pub(crate) async fn refresh(self: Arc<Self>) {
        loop {
            self.fetch(Why::Age).await;
            let (last, pause) = {
                let attempts = self.lock();
                (attempts.last, self.pause(&attempts, Why::Age))
            };
            let passed = last.map_or(Duration::ZERO, |last| self.clock.now().since(last));
            tokio::time::sleep(pause.saturating_sub(passed).max(FIRST_PAUSE)).await;
        }
    }

    /// How long to wait after the last attempt.
    fn pause(&self, attempts: &Attempts, why: Why) -> Duration {
        match (attempts.failures, why) {
            (0, Why::UnknownKey) => PAUSE,
            (0, Why::Age) => REFRESH,
            (failures, _) => {
                let first = if self.serves_at(self.clock.now()) { PAUSE } else { FIRST_PAUSE };
                first.saturating_mul(1 << (failures - 1).min(6)).min(LONGEST_PAUSE)
            }
        }
    }

    /// One attempt, whole: discovery document, key set, and the change of keys. A set without any key is believed, and
    /// counts as a failure so that the next attempt is not far.
    async fn attempt(&self) -> Result<(), FetchError> {
        let document = self.get(&self.settings.discovery, discovery::LIMITS.bytes).await?;
        let url = discovery::key_set_url(&document, &self.settings)
            .map_err(|reason| FetchError::Document { document: "discovery document", reason })?;
        let document = self.get(&url, key_set::LIMITS.bytes).await?;
        let newer = KeySet::parse(&document)
            .map_err(|reason| FetchError::Document { document: "key set", reason })?;
        let now = self.clock.now();
        let older = self.set.load_full();
        let newer = Arc::new(newer.succeed(&older, now.plus(MAX_AGE)));
        self.set.store(Arc::clone(&newer));
        older.end_all_but(&newer);
        self.remembered.purge(now);
        if newer.len() == 0 {
            let reason = "it holds no key that can be used here".to_owned();
            return Err(FetchError::Document { document: "key set", reason });
        }
        tracing::debug!(issuer = %self.settings.name, keys = newer.len(), "keys fetched");
        Ok(())
    }

    async fn get(&self, url: &Url, limit: usize) -> Result<Vec<u8>, FetchError> {
        let body = tokio::time::timeout(DEADLINE, self.fetch.get(url, limit)).await;
        let body = body.unwrap_or(Err(FetchError::TimedOut))?;
        if body.len() > limit { Err(FetchError::TooLong(limit)) } else { Ok(body) }
    }

    fn lock(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    /// A clock that was set back must not keep anyone waiting: an attempt in the future counts as long ago.
    fn is_due(&self, now: Timestamp, pause: Duration) -> bool {
        self.last.is_none_or(|last| now < last || now.since(last) >= pause)
    }
}

/// The one fetch that is under way. However it ends, also with its runtime, the next one may begin.
struct UnderWay(Arc<Keys>);

impl UnderWay {
    async fn run(self) {
        let result = self.0.attempt().await;
        let mut attempts = self.0.lock();
        if let Err(error) = &result {
            tracing::warn!(issuer = %self.0.settings.name, %error, "keys not fetched");
        }
        attempts.failures = if result.is_ok() { 0 } else { attempts.failures.saturating_add(1) };
        attempts.error = result.err();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        {
            let mut attempts = self.0.lock();
            attempts.under_way = false;
            attempts.last = Some(self.0.clock.now());
        }
        self.0.ended.send_modify(|count| *count += 1);
    }
}
