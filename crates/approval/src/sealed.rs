//! How an approval is kept: what was asked in one sealed part that never changes, where it stands in another.
//!
//! Each part's context names the columns that it belongs to. A row whose state, version or expiry was edited in the file,
//! or whose parts come from another row, does not open.

use model::{Ask, CallId, Principal, sha256};
use serde::{Deserialize, Serialize};
use store::seal::Sealer;
use store::{ApprovalChange, ApprovalRow};

use crate::{Approval, ApprovalError, Rejection, Signature, State};

/// The most that is kept of what was asked.
const MAX_REQUEST: usize = 8 << 20;

#[derive(Serialize, Deserialize)]
struct Request {
    principal: Principal,
    ask: Ask,
    call: CallId,
    sentence: String,
    detail: serde_json::Value,
    revision: String,
}

#[derive(Serialize, Deserialize)]
struct Progress {
    signatures: Vec<Signature>,
    rejection: Option<Rejection>,
}

/// A hash of the chain's issuers and subjects, in their order: the same only for the same whole chain.
pub(crate) fn chain_hash(principal: &Principal) -> [u8; 32] {
    let keys: Vec<(&str, &str)> =
        principal.chain().map(|p| (p.key.issuer.as_str(), p.key.subject.as_ref())).collect();
    sha256(serde_json::json!(keys).to_string().as_bytes())
}

/// The row of a new approval.
pub(crate) fn row_of(approval: &Approval, sealer: &Sealer) -> Result<ApprovalRow, ApprovalError> {
    let request = Request {
        principal: approval.principal.clone(),
        ask: approval.ask.clone(),
        call: approval.call,
        sentence: approval.sentence.clone(),
        detail: approval.detail.clone(),
        revision: approval.revision.clone(),
    };
    let request = serde_json::to_vec(&request).map_err(|_| ApprovalError::Damaged(approval.id))?;
    if request.len() > MAX_REQUEST {
        return Err(ApprovalError::TooLarge { max: MAX_REQUEST });
    }
    let mut row = ApprovalRow {
        id: approval.id,
        chain: chain_hash(&approval.principal),
        target: approval.target.clone(),
        digest: approval.digest,
        state: approval.state,
        version: approval.version,
        created: approval.created,
        expires: approval.expires,
        call: approval.used_by,
        request: Vec::new(),
        progress: seal_progress(approval, approval.version, sealer)?,
    };
    row.request = sealer.seal(&request_context(&row), &request);
    Ok(row)
}

/// The change that makes the kept approval this one.
pub(crate) fn change_of(approval: &Approval, sealer: &Sealer) -> Result<ApprovalChange, ApprovalError> {
    Ok(ApprovalChange {
        id: approval.id,
        from: approval.version,
        state: approval.state,
        call: approval.used_by,
        progress: seal_progress(approval, approval.version + 1, sealer)?,
    })
}

/// The approval in a row.
pub(crate) fn open(row: ApprovalRow, sealer: &Sealer) -> Result<Approval, ApprovalError> {
    let damaged = || ApprovalError::Damaged(row.id);
    let request = sealer.open(&request_context(&row), &row.request).map_err(|_| damaged())?;
    let progress_context = progress_context(&row.id.to_string(), row.version, row.state, row.call);
    let progress = sealer.open(&progress_context, &row.progress).map_err(|_| damaged())?;
    let request: Request = serde_json::from_slice(request.expose()).map_err(|_| damaged())?;
    let progress: Progress = serde_json::from_slice(progress.expose()).map_err(|_| damaged())?;
    Ok(Approval {
        id: row.id,
        state: row.state,
        principal: request.principal,
        target: row.target,
        digest: row.digest,
        ask: request.ask,
        call: request.call,
        sentence: request.sentence,
        detail: request.detail,
        revision: request.revision,
        created: row.created,
        expires: row.expires,
        signatures: progress.signatures,
        rejection: progress.rejection,
        used_by: row.call,
        version: row.version,
    })
}

fn seal_progress(approval: &Approval, version: u64, sealer: &Sealer) -> Result<Vec<u8>, ApprovalError> {
    let progress =
        Progress { signatures: approval.signatures.clone(), rejection: approval.rejection.clone() };
    let progress = serde_json::to_vec(&progress).map_err(|_| ApprovalError::Damaged(approval.id))?;
    let context = progress_context(&approval.id.to_string(), version, approval.state, approval.used_by);
    Ok(sealer.seal(&context, &progress))
}

fn request_context(row: &ApprovalRow) -> Vec<u8> {
    let context = serde_json::json!([
        "request",
        row.id,
        row.chain,
        row.target,
        row.digest,
        row.created.micros(),
        row.expires.micros()
    ]);
    context.to_string().into_bytes()
}

fn progress_context(id: &str, version: u64, state: State, call: Option<CallId>) -> Vec<u8> {
    serde_json::json!(["progress", id, version, state, call]).to_string().into_bytes()
}
