//! Refusals on the wire: RFC 9457 problem details, rendered once, from an allow-list of fields.

use gate::Ended;
use gate::model::{CallId, Refusal, RefusalKind};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The status of an ending.
///
/// What failed after the target has acted is a 4xx that common SDKs do not retry (422, 424), unless it was a read.
#[must_use]
pub(crate) fn status(ended: &Ended) -> StatusCode {
    match ended {
        Ended::Refused { refusal, .. } => refusal_status(refusal),
        Ended::Withheld { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Ended::Failed { effect: true, .. } => StatusCode::FAILED_DEPENDENCY,
        Ended::Failed { effect: false, .. } => StatusCode::BAD_GATEWAY,
    }
}

fn refusal_status(refusal: &Refusal) -> StatusCode {
    match refusal.kind {
        RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        RefusalKind::Expired if refusal.approval.is_none() => StatusCode::UNAUTHORIZED,
        RefusalKind::Denied
        | RefusalKind::ApprovalRequired
        | RefusalKind::Rejected
        | RefusalKind::Expired
        | RefusalKind::Revoked => StatusCode::FORBIDDEN,
        RefusalKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        RefusalKind::NotUnderstood => StatusCode::BAD_REQUEST,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::TargetUnavailable => StatusCode::BAD_GATEWAY,
        RefusalKind::CredentialUnavailable
        | RefusalKind::JournalUnavailable
        | RefusalKind::StoreUnavailable
        | RefusalKind::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The problem document of an ending.
#[must_use]
pub(crate) fn problem(ended: &Ended) -> Vec<u8> {
    let status = status(ended);
    let body = match ended {
        Ended::Refused { refusal, call } => refused(refusal, *call, status),
        Ended::Withheld { call, reason } => ran(
            "withheld",
            "The target has run this call, and its answer cannot be shown.",
            "Do not send it again. Ask for a policy that permits `readUnmasked`, or look at the target.",
            *call,
            reason,
            status,
        ),
        Ended::Failed { call, reason, effect } => ran(
            "failed",
            "The target may have run this call, and gave no whole answer.",
            if *effect { "Look at the target before you send it again." } else { "Send it again." },
            *call,
            reason,
            status,
        ),
    };
    body.to_string().into_bytes()
}

/// Seconds after which trying again makes sense.
#[must_use]
pub(crate) fn retry_after(ended: &Ended) -> Option<u64> {
    match ended {
        Ended::Refused { refusal, .. } => refusal.retry_after.map(|after| after.as_secs_f64().ceil() as u64),
        Ended::Withheld { .. } | Ended::Failed { .. } => None,
    }
}

fn refused(refusal: &Refusal, call: Option<CallId>, status: StatusCode) -> Value {
    let kind = refusal.kind;
    let mut body = skeleton(kind.code(), kind.sentence(), kind.next_step(), status);
    if kind.detail_is_for_the_client() && !refusal.detail.is_empty() {
        body.insert("detail".to_owned(), json!(refusal.detail));
    }
    body.insert("fault".to_owned(), json!(kind.fault()));
    body.insert("retryable".to_owned(), json!(kind.worth_retrying()));
    if let Some(call) = call {
        body.insert("call".to_owned(), json!(call));
    }
    if let Some(after) = refusal.retry_after {
        body.insert("retry_after".to_owned(), json!(after.as_secs_f64().ceil() as u64));
    }
    if let Some(approval) = &refusal.approval {
        let url = format!("/v1/approvals/{}", approval.id);
        body.insert(
            "approval".to_owned(),
            json!({ "id": approval.id, "url": url, "expires": approval.expires }),
        );
    }
    Value::Object(body)
}

fn ran(code: &str, title: &str, next: &str, call: CallId, reason: &str, status: StatusCode) -> Value {
    let mut body = skeleton(code, title, next, status);
    body.insert("detail".to_owned(), json!(reason));
    body.insert("fault".to_owned(), json!("target"));
    body.insert("retryable".to_owned(), json!(status == StatusCode::BAD_GATEWAY));
    body.insert("call".to_owned(), json!(call));
    Value::Object(body)
}

fn skeleton(code: &str, title: &str, next: &str, status: StatusCode) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".to_owned(), json!(format!("urn:countersign:{code}")));
    body.insert("title".to_owned(), json!(title));
    body.insert("status".to_owned(), json!(status.as_u16()));
    body.insert("code".to_owned(), json!(code));
    body.insert("next".to_owned(), json!(next));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_target_may_have_run_is_not_retried_by_sdks() {
        let call = CallId::new();
        let withheld = Ended::Withheld { call, reason: "html".to_owned() };
        let failed = |effect| Ended::Failed { call, reason: "closed".to_owned(), effect };
        assert_eq!(status(&withheld).as_u16(), 422);
        assert_eq!(status(&failed(true)).as_u16(), 424);
        assert_eq!(status(&failed(false)).as_u16(), 502);
    }

    #[test]
    fn details_of_the_gateways_own_troubles_stay_in_its_log() {
        for kind in RefusalKind::ALL {
            let refusal = Refusal::new(kind, "disk sda1 is full");
            let shown = String::from_utf8(problem(&Ended::from(refusal))).unwrap();
            assert_eq!(shown.contains("sda1"), kind.detail_is_for_the_client(), "{shown}");
            assert!(shown.contains(&format!("\"code\":\"{kind}\"")), "{shown}");
        }
    }
}
