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
