//! Where in a JSON document the reader is, and which field rules point there.

use crate::masker::MAX_DEPTH;
use crate::{Plan, Replace, Withheld};

/// The open arrays and objects, and the rules whose pointers lead through them.
#[derive(Default)]
pub(super) struct Path {
    frames: Vec<Frame>,
    /// The rules that lead into the open containers, those of the innermost last.
    active: Vec<usize>,
    /// The rules that lead to or through the value that comes next.
    next: Vec<usize>,
}

struct Frame {
    is_array: bool,
    /// The element that comes next.
    index: u64,
    /// Where this container's rules begin in `active`.
    active: usize,
}

impl Path {
    /// At the root: every rule may apply.
    pub(super) fn new(plan: &Plan) -> Self {
        Self { next: (0..plan.fields.len()).collect(), ..Self::default() }
    }

    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Whether the innermost open container is an array.
    pub(super) fn in_array(&self) -> bool {
        self.frames.last().is_some_and(|f| f.is_array)
    }

    /// A member's key was read; `None` when it is longer than any pointer's token.
    pub(super) fn key(&mut self, plan: &Plan, key: Option<&str>) {
        self.select(plan, key);
    }

    /// An array's element is about to begin.
    pub(super) fn element(&mut self, plan: &Plan) {
        let Some(frame) = self.frames.last_mut() else { return };
        let index = frame.index;
        frame.index += 1;
        self.next.clear();
        // An index is written out only where a rule leads into this array.
        if self.active.len() > frame.active {
            self.select(plan, Some(&index.to_string()));
        }
    }

    /// The rule that masks the whole value that comes next; of several the strictest.
    pub(super) fn rule(&self, plan: &Plan) -> Option<usize> {
        let depth = self.depth();
        let rules =
            self.next.iter().copied().filter_map(|rule| plan.fields.get(rule).map(|field| (rule, field)));
        rules
            .filter(|(_, f)| f.pointer.depth() == depth)
            .min_by_key(|(_, f)| f.replace != Replace::Redact)
            .map(|(r, _)| r)
    }

    /// An array or object begins.
    pub(super) fn open(&mut self, plan: &Plan, is_array: bool) -> Result<(), Withheld> {
        if self.frames.len() == MAX_DEPTH {
            return Err(Withheld::TooDeep { limit: MAX_DEPTH });
        }
        let depth = self.depth();
        let active = self.active.len();
        let deeper = |rule: &usize| plan.fields.get(*rule).is_some_and(|f| f.pointer.depth() > depth);
        self.active.extend(self.next.drain(..).filter(deeper));
        self.frames.push(Frame { is_array, index: 0, active });
        Ok(())
    }

    /// The innermost container ends.
    pub(super) fn close(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.active.truncate(frame.active);
        }
    }

    /// Those of the container's rules whose next token stands for this key. A key too long for any name is matched by `*`.
    fn select(&mut self, plan: &Plan, key: Option<&str>) {
        self.next.clear();
        let Some(frame) = self.frames.last() else { return };
        let depth = self.frames.len() - 1;
        // No token holds a NUL, so this key equals none.
        let key = key.unwrap_or("\0");
        let rules = self.active.get(frame.active..).unwrap_or_default();
        let leads = |rule: &&usize| plan.fields.get(**rule).is_some_and(|f| f.pointer.matches_at(depth, key));
        self.next.extend(rules.iter().filter(leads));
    }
}
