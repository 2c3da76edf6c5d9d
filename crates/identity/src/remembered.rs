//! Tokens that have been verified, by their SHA-256. A bounded map in shards, each under a lock that is held for one
//! look-up or one insertion and never across an await.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::Timestamp;

use crate::Proven;
use crate::key_set::Key;

const SHARDS: usize = 16;

/// The most tokens of one shard; 65,536 in all.
const MAX_IN_SHARD: usize = 4096;

type Hash = [u8; 32];

struct Entry {
    proven: Proven,
    /// What signed the token. Once it no longer serves, neither does the token.
    key: Arc<Key>,
}

impl Entry {
    fn counts_at(&self, now: Timestamp) -> bool {
        now < self.proven.expires && self.key.serves_at(now)
    }
}

/// The memory.
pub(crate) struct Remembered {
    shards: [RwLock<HashMap<Hash, Entry>>; SHARDS],
}

impl Remembered {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()) }
    }

    /// Who the token of this hash proves, if it was verified before and still counts.
    pub(crate) fn get(&self, hash: &Hash, now: Timestamp) -> Option<Proven> {
        let shard = self.shard(hash).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(hash).filter(|entry| entry.counts_at(now)).map(|entry| entry.proven.clone())
    }

    /// Remembers a token. Where there is no room left, what no longer counts goes, then what would have ended first.
    pub(crate) fn insert(&self, hash: Hash, proven: Proven, key: Arc<Key>, now: Timestamp) {
        let mut shard = self.shard(&hash).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MAX_IN_SHARD {
            shard.retain(|_, entry| entry.counts_at(now));
        }
        if shard.len() >= MAX_IN_SHARD
            && let Some(first) =
                shard.iter().min_by_key(|(_, entry)| entry.proven.expires).map(|(hash, _)| *hash)
        {
            shard.remove(&first);
        }
        shard.insert(hash, Entry { proven, key });
    }

    /// Gives back the memory of what no longer counts.
    pub(crate) fn purge(&self, now: Timestamp) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).retain(|_, entry| entry.counts_at(now));
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap().len()).sum()
    }

    fn shard(&self, hash: &Hash) -> &RwLock<HashMap<Hash, Entry>> {
        let [first, ..] = *hash;
        let [zero, ..] = &self.shards;
        self.shards.get(usize::from(first) % SHARDS).unwrap_or(zero)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use model::{IssuerName, Principal, PrincipalKey};

    use super::*;
    use crate::Algorithm;
    use crate::key_set::KeySet;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn key() -> Arc<Key> {
        let set =
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
        let set = KeySet::parse(set.as_bytes())
            .unwrap()
            .succeed(&KeySet::default(), NOW.plus(Duration::from_secs(9999)));
        set.find(None, Algorithm::EdDsa, NOW).pop().unwrap()
    }

    fn proven(seconds: u64) -> Proven {
        let issuer = IssuerName::parse("corp").unwrap();
        let key = PrincipalKey { issuer, subject: "alice".into() };
        let principal = Principal { key, groups: BTreeSet::new(), claims: BTreeMap::new(), actor: None };
        Proven { principal: Arc::new(principal), expires: NOW.plus(Duration::from_secs(seconds)) }
    }

    /// A hash that falls into the first shard.
    fn hash(index: u64) -> Hash {
        let mut hash = [0; 32];
        hash[1..9].copy_from_slice(&index.to_be_bytes());
        hash
    }

    #[test]
    fn memory_is_bounded_and_what_ends_first_goes_first() {
        let (remembered, key) = (Remembered::new(), key());
        let most = MAX_IN_SHARD as u64;
        for index in 0..most + 10 {
            remembered.insert(hash(index), proven(100 + index), Arc::clone(&key), NOW);
        }
        assert_eq!(remembered.len(), MAX_IN_SHARD);
        assert!(remembered.get(&hash(9), NOW).is_none());
        assert!(remembered.get(&hash(10), NOW).is_some());
        assert!(remembered.get(&hash(most + 9), NOW).is_some());
    }

    #[test]
    fn what_is_over_makes_room_first() {
        let (remembered, key) = (Remembered::new(), key());
        for index in 0..MAX_IN_SHARD as u64 {
            remembered.insert(hash(index), proven(if index < 1000 { 1 } else { 100 }), Arc::clone(&key), NOW);
        }
        let later = NOW.plus(Duration::from_secs(1));
        remembered.insert(hash(9999), proven(50), key, later);
        assert_eq!(remembered.len(), MAX_IN_SHARD - 1000 + 1);
        remembered.purge(NOW.plus(Duration::from_secs(60)));
        assert_eq!(remembered.len(), MAX_IN_SHARD - 1000);
    }
}
