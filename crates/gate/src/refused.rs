//! Refusals made from what the stages say. Each says whose fault it is by its kind; details that are not the caller's go to
//! the log and not to the caller.

use std::time::Duration;

use approval::ApprovalError;
use identity::IdentityError;
use journal::JournalError;
use lease::LeaseError;
use model::{Reason, Refusal, RefusalKind};

pub(crate) fn denied(reasons: &[Reason]) -> Refusal {
    let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
    Refusal::new(RefusalKind::Denied, reasons.join("; "))
}

pub(crate) fn unproven(error: &IdentityError) -> Refusal {
    if error.is_callers_fault() {
        return Refusal::new(RefusalKind::Unauthenticated, error.to_string());
    }
    tracing::warn!(%error, "an identity cannot be proven for a reason that is not the caller's");
    Refusal::new(RefusalKind::Unauthenticated, "the issuer of this token cannot be asked for its keys")
        .retry_after(Duration::from_secs(10))
}

pub(crate) fn journal(error: &JournalError) -> Refusal {
    tracing::error!(%error, "the journal cannot be written");
    Refusal::new(RefusalKind::JournalUnavailable, error.to_string()).retry_after(Duration::from_secs(2))
}

pub(crate) fn credential(error: &LeaseError) -> Refusal {
    tracing::error!(%error, "a credential cannot be had");
    Refusal::new(RefusalKind::CredentialUnavailable, error.to_string())
}

pub(crate) fn approval(error: &ApprovalError) -> Refusal {
    let kind = error.kind();
    let refusal = Refusal::new(kind, error.to_string());
    match kind {
        RefusalKind::StoreUnavailable => {
            tracing::error!(%error, "the store cannot be used");
            refusal.retry_after(Duration::from_secs(2))
        }
        RefusalKind::RateLimited => refusal.retry_after(Duration::from_secs(60)),
        _ => refusal,
    }
}

pub(crate) fn unsearchable(error: &mask::BadNeedle) -> Refusal {
    tracing::error!(%error, "answers cannot be searched for a credential");
    Refusal::new(RefusalKind::CredentialUnavailable, error.to_string())
}

/// A task of ours ended without an answer: it panicked, or the runtime is stopping.
pub(crate) fn lost() -> Refusal {
    Refusal::new(RefusalKind::ShuttingDown, "the call's task ended")
}
