//! The routes: one line each.

use gate::model::{ActionName, Resource, ResourceKind, TargetName, Verb};
use gate::{BoxFuture, Gate, OWN, Session};

use crate::openapi::{Described, body, nothing};
use crate::reply::{Asked, Reply, Stop};
use crate::{approvals, calls, setup, targets};

/// What a handler gives back.
pub(crate) type Handled<'a> = BoxFuture<'a, Result<Reply, Stop>>;

/// One route of `/v1`.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// The path; a segment in braces is a parameter.
    pub(crate) path: &'static str,
    /// The query parameters that it reads.
    pub(crate) query: &'static [(&'static str, &'static str)],
    pub(crate) action: &'static str,
    pub(crate) verb: Verb,
    /// What the action is on: the interface as a whole, or the thing that the path's parameter names.
    pub(crate) on: ResourceKind,
    pub(crate) summary: &'static str,
    pub(crate) takes: fn() -> Option<Described>,
    pub(crate) gives: fn() -> Option<Described>,
    pub(crate) handler: for<'a> fn(&'a Gate, &'a Session, &'a Asked) -> Handled<'a>,
}

const TARGET: ResourceKind = ResourceKind::Target;
const APPROVAL: ResourceKind = ResourceKind::Approval;

/// Every route but `POST /v1/targets/{target}/calls`, which is the target's own call.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/targets",
        query: &[],
        action: "targets.list",
        verb: Verb::Read,
        on: TARGET,
        summary: "The targets, with how many of their operations you may call.",
        takes: nothing,
        gives: body::<targets::TargetList>,
        handler: targets::list,
    },
    Route {
        method: "GET",
        path: "/v1/targets/{target}/operations",
        query: &[],
        action: "operations.list",
        verb: Verb::Read,
        on: TARGET,
        summary: "The named operations that you may call, in MCP's tool shape.",
        takes: nothing,
        gives: body::<targets::ToolList>,
        handler: targets::operations,
    },
    Route {
        method: "GET",
        path: "/v1/approvals",
        query: &[(
            "state",
            "Only those in this state: pending, approved, used, rejected, withdrawn, expired, void.",
        )],
        action: "approvals.list",
        verb: Verb::Read,
        on: TARGET,
        summary: "Requests for a second signature, the latest first.",
        takes: nothing,
        gives: body::<approvals::ApprovalList>,
        handler: approvals::list,
    },
    Route {
        method: "GET",
        path: "/v1/approvals/{approval}",
        query: &[],
        action: "approval.show",
        verb: Verb::Read,
        on: APPROVAL,
        summary: "One request: who asks what of where, and what a signature covers.",
        takes: nothing,
        gives: body::<approvals::ApprovalView>,
        handler: approvals::show,
    },
    Route {
        method: "POST",
        path: "/v1/approvals/{approval}/approve",
        query: &[],
        action: "approval.sign",
        verb: Verb::Write,
        on: APPROVAL,
        summary: "Sign it, for one of the groups that are asked.",
        takes: body::<approvals::Verdict>,
        gives: body::<approvals::ApprovalView>,
        handler: approvals::approve,
    },
    Route {
        method: "POST",
        path: "/v1/approvals/{approval}/reject",
        query: &[],
        action: "approval.reject",
        verb: Verb::Write,
        on: APPROVAL,
        summary: "Reject it.",
        takes: body::<approvals::Verdict>,
        gives: body::<approvals::ApprovalView>,
        handler: approvals::reject,
    },
    Route {
        method: "GET",
        path: "/v1/calls",
        query: &[
            ("target", "Only calls of this target."),
            ("principal", "Only calls of this principal: issuer/subject."),
            ("refused", "`true`: only refused calls."),
            ("limit", "At most so many, 1 to 1000; 50 by default."),
            ("before", "Only calls before this one: the last id of the page before."),
        ],
        action: "calls.list",
        verb: Verb::Read,
        on: TARGET,
        summary: "Calls, the latest first.",
        takes: nothing,
        gives: body::<calls::CallList>,
        handler: calls::list,
    },
    Route {
        method: "GET",
        path: "/v1/calls/{call}",
        query: &[],
        action: "calls.show",
        verb: Verb::Read,
        on: TARGET,
        summary: "One call: its events and its record, masked.",
        takes: nothing,
        gives: body::<calls::CallView>,
        handler: calls::show,
    },
    Route {
        method: "GET",
        path: "/v1/checkpoint",
        query: &[],
        action: "journal.checkpoint",
        verb: Verb::Read,
        on: TARGET,
        summary: "The journal's last signed checkpoint, to be kept elsewhere and verified against.",
        takes: nothing,
        gives: body::<calls::Checkpoint>,
        handler: calls::checkpoint,
    },
    Route {
        method: "POST",
        path: "/v1/setup",
        query: &[],
        action: "setup.redeem",
        verb: Verb::Admin,
        on: TARGET,
        summary: "Redeem the one-time code that makes you the first administrator.",
        takes: body::<setup::Code>,
        gives: body::<setup::Redeemed>,
        handler: setup::redeem,
    },
    Route {
        method: "GET",
        path: "/metrics",
        query: &[],
        action: "metrics.read",
        verb: Verb::Read,
        on: TARGET,
        summary: "Counters in Prometheus' text format.",
        takes: nothing,
        gives: nothing,
        handler: calls::metrics,
    },
];

/// What a path and method lead to.
pub(crate) enum Found {
    /// A route, with the value of its path's parameter.
    Route(&'static Route, Option<String>),
    /// A named operation of this target.
    Invoke(String),
    /// The path is there, for another method.
    OtherMethod,
    /// There is nothing.
    Nothing,
}

/// Finds the route of a request.
pub(crate) fn find(method: &str, segments: &[String]) -> Found {
    let mut found = Found::Nothing;
    if let [v1, targets, target, calls] = segments
        && (v1.as_str(), targets.as_str(), calls.as_str()) == ("v1", "targets", "calls")
    {
        return if method == "POST" { Found::Invoke(target.clone()) } else { Found::OtherMethod };
    }
    for route in ROUTES {
        if let Some(parameter) = matches(route.path, segments) {
            if route.method == method {
                return Found::Route(route, parameter);
            }
            found = Found::OtherMethod;
        }
    }
    found
}

fn matches(path: &str, segments: &[String]) -> Option<Option<String>> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut parameter = None;
    for (part, segment) in parts.iter().zip(segments) {
        if part.starts_with('{') {
            parameter = Some(segment.clone());
        } else if part != segment {
            return None;
        }
    }
    Some(parameter)
}

impl Route {
    /// The action, on what.
    pub(crate) fn access(&self, own: &TargetName, parameter: Option<&str>) -> gate::model::Access {
        let resource = match (self.on, parameter) {
            (ResourceKind::Approval, Some(id)) => {
                Resource { kind: ResourceKind::Approval, id: id.to_owned() }
            }
            (ResourceKind::Approval | ResourceKind::Target, _) => Resource::target(own),
        };
        gate::model::Access { action: ActionName::builtin(self.action), verb: self.verb, resource }
    }
}

/// The name of our own target; a constant that parses.
pub(crate) fn own_name() -> Option<TargetName> {
    TargetName::parse(OWN).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_an_action_of_its_own_and_a_path_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for route in ROUTES {
            assert!(seen.insert(route.action), "{} stands twice", route.action);
            assert!(seen.insert(route.path) || route.method != "GET", "{} stands twice", route.path);
            assert!(route.summary.ends_with('.'));
        }
    }

    #[test]
    fn a_path_leads_to_one_route() {
        let segments = |path: &str| path.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert!(
            matches!(find("POST", &segments("/v1/targets/crm/calls")), Found::Invoke(target) if target == "crm")
        );
        assert!(matches!(find("GET", &segments("/v1/targets/crm/calls")), Found::OtherMethod));
        assert!(matches!(find("DELETE", &segments("/v1/calls")), Found::OtherMethod));
        assert!(
            matches!(find("GET", &segments("/v1/calls/")), Found::Route(route, Some(_)) if route.action == "calls.show")
        );
        assert!(matches!(find("GET", &segments("/v2/calls")), Found::Nothing));
    }
}
