//! RFC 6962 Merkle trees (section 2.1): hashes, roots and proofs, over whatever can name the hash of a perfect subtree.
//!
//! It does no I/O and trusts nothing: a proof that it did not make is checked bit by bit. A tree of no entries has the hash
//! of the empty string as its root.

/// SHA-256 of a node or an entry.
pub type Hash = [u8; 32];

/// The hash of an entry (RFC 6962: `SHA-256(0x00 ‖ entry)`).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    digest(&[&[0], entry])
}

/// The hash of an inner node (RFC 6962: `SHA-256(0x01 ‖ left ‖ right)`).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    digest(&[&[1], left, right])
}

/// The root of a tree without entries.
#[must_use]
pub fn empty_root() -> Hash {
    digest(&[])
}

/// SHA-256 of the parts, one after the other.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> Hash {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The root over perfect subtrees that stand from left to right, each smaller than the one before.
#[must_use]
pub fn fold(perfect: &[Hash]) -> Option<Hash> {
    let (last, rest) = perfect.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// The root over `hashes` as leaves: the tree of RFC 6962 for any number of them, one at least.
#[must_use]
pub fn root_of(hashes: &[Hash]) -> Option<Hash> {
    let mut perfect = Vec::new();
    let mut rest = hashes;
    while !rest.is_empty() {
        let (left, right) = rest.split_at(largest_power(rest.len()));
        perfect.push(perfect_root(left)?);
        rest = right;
    }
    fold(&perfect)
}

fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level =
            level.chunks_exact(2).filter_map(|pair| Some(node_hash(pair.first()?, pair.get(1)?))).collect();
    }
    level.first().copied()
}

/// Where the hashes of perfect subtrees come from: `node(height, index)` covers the `2^height` entries from
/// `index · 2^height` on.
pub trait Nodes {
    /// Why a hash cannot be had.
    type Error;
    /// The hash of one perfect subtree.
    ///
    /// # Errors
    /// When it cannot be had.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The root of the first `size` entries.
///
/// # Errors
/// What `nodes` fails with.
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(empty_root()) } else { range_root(nodes, 0, size) }
}

/// The proof that entry `index` is in the tree of `size` entries (RFC 6962, 2.1.1), nearest sibling first. Empty when it
/// is not.
///
/// # Errors
/// What `nodes` fails with.
pub fn inclusion_proof<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    if index >= size {
        return Ok(proof);
    }
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `size` entries begins with the tree of `old` entries (RFC 6962, 2.1.2). Empty when `old` is 0,
/// or not smaller than `size`.
///
/// # Errors
/// What `nodes` fails with.
pub fn consistency_proof<N: Nodes>(nodes: &mut N, old: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut low, mut high) = (0, size);
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    if low > 0 {
        proof.push(range_root(nodes, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that `leaf` is entry `index` of the tree of `size` entries with this `root` (RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree `(size, root)` begins with the tree `(old, old_root)` (RFC 9162, 2.1.4.2).
#[must_use]
pub fn verify_consistency(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    if old > size {
        return false;
    }
    let mut steps = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut from_old, mut from_new) = (*first, *first);
    for sibling in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == *old_root && from_new == *root
}

/// The root over entries `low..high`, where `low` is a multiple of the largest power of two in their number.
fn range_root<N: Nodes>(nodes: &mut N, low: u64, high: u64) -> Result<Hash, N::Error> {
    let mut perfect = Vec::new();
    let mut at = low;
    while at < high {
        let height = (high - at).ilog2();
        perfect.push(nodes.node(height, at >> height)?);
        at += 1 << height;
    }
    Ok(fold(&perfect).unwrap_or_else(empty_root))
}

/// The largest power of two smaller than `count`, for a count of two at least.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn largest_power(count: usize) -> usize {
    1 << count.ilog2()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// The definition of RFC 6962, word for word.
    fn oracle(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node_hash(&oracle(left), &oracle(right))
            }
        }
    }

    struct Naive(Vec<Hash>);

    impl Nodes for Naive {
        type Error = Infallible;
        fn node(&mut self, height: u32, index: u64) -> Result<Hash, Infallible> {
            let from = usize::try_from(index << height).unwrap();
            Ok(oracle(&self.0[from..from + (1 << height)]))
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    #[test]
    fn the_roots_of_the_published_vectors_come_out() {
        let inputs: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let hashes: Vec<Hash> = inputs.iter().map(|input| leaf_hash(input)).collect();
        assert_eq!(
            hex::encode(empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex::encode(hashes[0]),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let root = root_of(&hashes).unwrap();
        assert_eq!(hex::encode(root), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }

    proptest! {
        #[test]
        fn every_root_is_the_oracles(count in 1usize..300) {
            let leaves = leaves(count);
            prop_assert_eq!(root_of(&leaves).unwrap(), oracle(&leaves));
            let Ok(root) = root(&mut Naive(leaves.clone()), count as u64);
            prop_assert_eq!(root, oracle(&leaves));
        }

        #[test]
        fn inclusion_is_proven_for_the_entry_and_for_no_other(count in 1usize..300, at: prop::sample::Index, other: prop::sample::Index) {
            let leaves = leaves(count);
            let (index, other) = (at.index(count), other.index(count));
            let root = oracle(&leaves);
            let Ok(proof) = inclusion_proof(&mut Naive(leaves.clone()), index as u64, count as u64);
            prop_assert!(verify_inclusion(&leaves[index], index as u64, count as u64, &proof, &root));
            if other != index {
                prop_assert!(!verify_inclusion(&leaves[other], index as u64, count as u64, &proof, &root));
                prop_assert!(!verify_inclusion(&leaves[index], other as u64, count as u64, &proof, &root));
            }
            let longer: Vec<Hash> = proof.iter().copied().chain([root]).collect();
            prop_assert!(!verify_inclusion(&leaves[index], index as u64, count as u64, &longer, &root));
        }

        #[test]
        fn consistency_is_proven_for_a_prefix_and_for_no_fork(size in 1usize..300, old: prop::sample::Index) {
            let leaves = leaves(size);
            let old = old.index(size + 1);
            let (old_root, root) = (oracle(&leaves[..old]), oracle(&leaves));
            let Ok(proof) = consistency_proof(&mut Naive(leaves.clone()), old as u64, size as u64);
            prop_assert!(verify_consistency(old as u64, &old_root, size as u64, &root, &proof));
            if old > 0 {
                let mut forked = leaves[..old].to_vec();
                forked[old / 2] = leaf_hash(b"another");
                prop_assert!(!verify_consistency(old as u64, &oracle(&forked), size as u64, &root, &proof));
            }
        }
    }
}
