//! A session: a proven principal and a target.
//!
//! For HTTP it is all calls under one verified token to one target. It is kept until the identity expires or the
//! configuration changes, so that what policy says of a principal and a target is asked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lease::Credential;
use mask::{BadNeedle, Plan};
use model::{ClassName, Clock, Principal, Refusal, RefusalKind, SessionId, Timestamp};
use policy::{Lifted, Who};

use crate::kept::Kept;
use crate::snapshot::Snapshot;
use crate::target::Target;

/// Sessions kept at once; beyond that those that have expired go, and then all.
const KEPT: usize = 65_536;

/// How long a call under way may outlive its session.
pub(crate) const GRACE: Duration = Duration::from_secs(300);

/// Where a call comes from.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The peer's address.
    pub peer: std::net::SocketAddr,
    /// Whether a bearer token may travel on this connection: TLS, or loopback.
    pub private: bool,
}

/// A proven principal and a target. Only [`crate::Gate::identify`] makes one.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Proven>);

pub(crate) struct Proven {
    pub(crate) id: SessionId,
    pub(crate) who: Who,
    pub(crate) target: Arc<Target>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) expires: Timestamp,
    lifted: Lifted,
    plan: Mutex<Option<(u64, Arc<Plan>)>>,
}

impl Session {
    pub(crate) fn new(who: Who, target: Arc<Target>, snapshot: Arc<Snapshot>, expires: Timestamp) -> Self {
        let lifted = snapshot.engine().lifted(&who, target.name());
        Self(Arc::new(Proven {
            id: SessionId::new(),
            who,
            target,
            snapshot,
            expires,
            lifted,
            plan: Mutex::new(None),
        }))
    }

    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.who.principal
    }

    /// What is called.
    #[must_use]
    pub fn target(&self) -> &Arc<Target> {
        &self.0.target
    }

    /// Whether answers are masked for this session: false only where policy lifts every class.
    #[must_use]
    pub fn masks(&self) -> bool {
        !self.0.lifted.all
    }

    /// What masks the record of this session's answers, where policy shows the caller more than is kept.
    pub(crate) fn keeps_less(&self) -> Option<Kept> {
        (!self.0.lifted.classes.is_empty()).then(|| Kept::new(self.0.target.fields().to_vec()))
    }

    /// Every target that stands with this session's configuration.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.0.snapshot
    }

    /// Whether the principal may be shown this operation of this target: hidden when nothing could ever allow it.
    #[must_use]
    pub fn may_list(&self, target: &Target, action: &model::ActionName) -> bool {
        self.0.snapshot.engine().may_list(&self.0.who, target.name(), action)
    }

    /// Refuses when the identity has expired: a new call must arrive before.
    pub(crate) fn live(&self, clock: &dyn Clock) -> Result<(), Refusal> {
        if clock.now() < self.0.expires {
            return Ok(());
        }
        Err(Refusal::new(RefusalKind::Expired, "the identity behind this session has expired"))
    }

    /// What this session's answers are masked by, made once as long as the credential stays the same.
    pub(crate) fn plan(&self, credential: &Credential) -> Result<Arc<Plan>, BadNeedle> {
        let make = || {
            let target = &self.0.target;
            let lifted = |class: &str| {
                ClassName::parse(class).is_ok_and(|class| self.0.lifted.classes.contains(&class))
            };
            let detectors = mask::detectors().iter().copied().filter(|detector| !lifted(detector.class()));
            let fields = target.fields().iter().filter(|field| !lifted(&field.class)).cloned();
            Ok(Arc::new(Plan::new(detectors.collect(), fields.collect(), target.needles(credential)?)))
        };
        let Some(version) = credential.version() else { return make() };
        let mut kept = self.0.plan.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, plan)) if *of == version => Ok(Arc::clone(plan)),
            _ => {
                let made = make()?;
                *kept = Some((version, Arc::clone(&made)));
                Ok(made)
            }
        }
    }
}

/// The sessions that live, by verified token and target.
///
/// The key is two addresses: that of the principal, which a verified token keeps as long as it is remembered, and that of
/// the target. Both are held by the session itself, so neither can be given to something else while the key stands.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<(usize, usize), Session>>);

impl Sessions {
    /// The session of this very verified identity with the target, made if there is none under this configuration.
    pub(crate) fn of(
        &self,
        proven: &identity::Proven,
        target: &Arc<Target>,
        snapshot: &Arc<Snapshot>,
        now: Timestamp,
        who: impl FnOnce() -> Who,
    ) -> Session {
        let key = (Arc::as_ptr(&proven.principal) as usize, Arc::as_ptr(target) as usize);
        let stands =
            |session: &&Session| now < session.0.expires && Arc::ptr_eq(&session.0.snapshot, snapshot);
        if let Some(session) = self.lock().get(&key).filter(stands) {
            return session.clone();
        }
        let session = Session::new(who(), Arc::clone(target), Arc::clone(snapshot), proven.expires);
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            kept.retain(|_, session| now < session.0.expires);
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, session.clone());
        session
    }

    /// Forgets all: roles or the configuration have changed.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(usize, usize), Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
