//! Requests for a second signature: listed, shown, signed, rejected.

use gate::approval::{Approval, ApprovalError, Filter, State};
use gate::model::{ApprovalId, Refusal};
use gate::{Gate, Session};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::reply::{Asked, Reply, Stop};
use crate::routes::Handled;

/// An approver's word.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    /// Why, for the caller and the auditor.
    #[serde(default)]
    reason: Option<String>,
}

/// Requests, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalList {
    approvals: Vec<ApprovalView>,
}

/// One request for a second signature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    /// Its id.
    id: String,
    /// Where it stands: pending, approved, used, rejected, withdrawn, expired, void.
    state: String,
    /// Who asks, with everyone acting for them.
    principal: String,
    /// Of which target.
    target: String,
    /// What, in one masked line.
    sentence: String,
    /// What a signature covers: SHA-256 of the call.
    digest: String,
    /// The groups that must sign.
    groups: Vec<String>,
    /// The groups whose signature is awaited.
    awaits: Vec<String>,
    /// The policies that ask.
    policies: Vec<String>,
    /// What the call will do, masked: accesses, heads, body.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// Who signed.
    signatures: Vec<SignatureView>,
    /// Who rejected it, and why.
    rejection: Option<SignatureView>,
    /// The call that asked first.
    call: String,
    /// The call that used it.
    used_by: Option<String>,
    /// When it was asked for.
    created: String,
    /// When it can no longer be signed or used.
    expires: String,
}

/// One person's word.
#[derive(Debug, Serialize, ToSchema)]
struct SignatureView {
    /// Who.
    by: String,
    /// For which group.
    group: Option<String>,
    /// When.
    at: String,
    /// Why.
    reason: Option<String>,
}

pub(crate) fn list<'a>(gate: &'a Gate, _: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let state = match asked.query("state") {
            None => None,
            Some(name) => Some(state(name).ok_or_else(|| {
                let detail = format!("`state` is one of {}", State::ALL.map(State::as_str).join(", "));
                Refusal::new(gate::model::RefusalKind::NotUnderstood, detail)
            })?),
        };
        let found =
            gate.approvals().list(Filter { state, target: None, limit: Some(200) }).await.map_err(refused)?;
        Reply::json(&ApprovalList { approvals: found.iter().map(view).collect() })
    })
}

pub(crate) fn show<'a>(gate: &'a Gate, _: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let id: ApprovalId = asked.id("approval")?;
        let found = gate.approvals().show(id).await.map_err(refused)?;
        Reply::json(&view(&found.ok_or_else(not_found)?))
    })
}

pub(crate) fn approve<'a>(gate: &'a Gate, session: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let id: ApprovalId = asked.id("approval")?;
        let Verdict { reason } = asked.json()?;
        match gate.sign(id, session.principal(), reason).await {
            Ok(signed) => Reply::json(&view(&signed)),
            Err(error) => Err(refused_of(gate, id, error).await),
        }
    })
}

pub(crate) fn reject<'a>(gate: &'a Gate, session: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let id: ApprovalId = asked.id("approval")?;
        let Verdict { reason } = asked.json()?;
        match gate.reject(id, session.principal(), reason).await {
            Ok(rejected) => Reply::json(&view(&rejected)),
            Err(error) => Err(refused_of(gate, id, error).await),
        }
    })
}

fn state(name: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.as_str() == name)
}

fn not_found() -> Stop {
    Stop::NotFound("there is no approval of this id".to_owned())
}

fn refused(error: ApprovalError) -> Stop {
    match error {
        ApprovalError::NotFound(_) => not_found(),
        error => Stop::Refused(Refusal::new(error.kind(), error.to_string())),
    }
}

/// The refusal, about this approval: what has expired is that, and not the caller's identity.
async fn refused_of(gate: &Gate, id: ApprovalId, error: ApprovalError) -> Stop {
    match (refused(error), gate.approvals().show(id).await) {
        (Stop::Refused(refusal), Ok(Some(approval))) => {
            Stop::Refused(refusal.with_approval(approval.notice()))
        }
        (stop, _) => stop,
    }
}

fn view(approval: &Approval) -> ApprovalView {
    ApprovalView {
        id: approval.id.to_string(),
        state: approval.state.as_str().to_owned(),
        principal: approval.principal.chain_text(),
        target: approval.target.to_string(),
        sentence: approval.sentence.clone(),
        digest: approval.digest.to_string(),
        groups: approval.ask.groups.iter().map(ToString::to_string).collect(),
        awaits: approval.awaited().iter().map(ToString::to_string).collect(),
        policies: approval.ask.policies.iter().map(ToString::to_string).collect(),
        detail: approval.detail.clone(),
        signatures: approval
            .signatures
            .iter()
            .map(|signature| SignatureView {
                by: signature.by.to_string(),
                group: Some(signature.group.to_string()),
                at: signature.at.to_string(),
                reason: signature.reason.clone(),
            })
            .collect(),
        rejection: approval.rejection.as_ref().map(|rejection| SignatureView {
            by: rejection.by.to_string(),
            group: None,
            at: rejection.at.to_string(),
            reason: rejection.reason.clone(),
        }),
        call: approval.call.to_string(),
        used_by: approval.used_by.map(|call| call.to_string()),
        created: approval.created.to_string(),
        expires: approval.expires.to_string(),
    }
}
