//! What calls are decided by at one moment: targets and policies, replaced as a whole when the configuration is reloaded.

use std::collections::HashMap;
use std::sync::Arc;

use model::{BadName, TargetName};
use policy::{ActionModel, Engine, PolicyFile, Problem};

use crate::target::{OWN, Target, TargetParts};
use crate::workers;

/// Targets and policies that stand together. A call keeps the one with which it began.
pub struct Snapshot {
    targets: HashMap<String, Arc<Target>>,
    engines: Vec<Engine>,
}

/// Why a configuration cannot be served. The one that stands goes on being served.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Policies that do not compile against these targets.
    #[error("{} of the policies cannot be used", .0.len())]
    Policies(Vec<Problem>),
    /// Two targets of one name, or one named like Countersign's own interface.
    #[error("the target name `{0}` is taken")]
    Taken(TargetName),
    /// Our own name is no name; cannot happen.
    #[error(transparent)]
    Name(#[from] BadName),
}

impl Snapshot {
    /// Compiles policies against targets, once for each worker.
    ///
    /// # Errors
    /// [`SnapshotError`] lists what is wrong with the policies, with file and line.
    pub fn build(
        targets: Vec<TargetParts>,
        own: Vec<ActionModel>,
        policies: &[PolicyFile],
        workers: usize,
    ) -> Result<Self, SnapshotError> {
        let own_name = TargetName::parse(OWN)?;
        let mut named = HashMap::from([(OWN.to_owned(), Arc::new(Target::own(own_name, own)))]);
        for parts in targets {
            let target = Target::remote(parts, workers);
            if let Some(taken) = named.insert(target.name().as_str().to_owned(), Arc::new(target)) {
                return Err(SnapshotError::Taken(taken.name().clone()));
            }
        }
        let mut models: Vec<_> = named.values().map(|target| target.model()).collect();
        models.sort_by(|a, b| a.name.cmp(&b.name));
        let first = Engine::compile(&models, policies).map_err(SnapshotError::Policies)?;
        let copies = (1..workers).map(|_| first.duplicate().map_err(SnapshotError::Policies));
        let mut engines = copies.collect::<Result<Vec<_>, _>>()?;
        engines.push(first);
        Ok(Self { targets: named, engines })
    }

    /// The target of this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Arc<Target>> {
        self.targets.get(name)
    }

    /// Every target, Countersign's own among them.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.targets.values()
    }

    /// The policies, as this worker's own copy.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        #[expect(
            clippy::indexing_slicing,
            reason = "build makes at least one, and the remainder is an index"
        )]
        &self.engines[workers::index() % self.engines.len()]
    }
}
