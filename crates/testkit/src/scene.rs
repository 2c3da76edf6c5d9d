//! An issuer, the demo API and a gateway between them, with policies that permit reading and ask before paying.

use serde_json::{Value, json};

use crate::demo_api::DemoApi;
use crate::gateway_box::{Builder, GatewayBox};
use crate::http::Outgoing;
use crate::issuer_server::IssuerServer;

/// Everything that a call needs, running.
#[derive(Debug)]
pub struct Scene {
    /// The gateway.
    pub gateway: GatewayBox,
    /// What is called.
    pub api: DemoApi,
    /// Who vouches for callers, named `dev`.
    pub issuer: IssuerServer,
}

/// Who is in `dev/functions` may read and, once somebody of `dev/approvers` has signed, pay; who is in `dev/approvers` may
/// use Countersign's own interface. Nobody may delete.
pub const POLICIES: &str = r#"
@id("read")
@record("full")
permit (principal in Group::"dev/functions",
        action in [Action::"demo:customers.read", Action::"http.get", Action::"http.head"],
        resource == Target::"demo");

@id("pay")
permit (principal in Group::"dev/functions",
        action in [Action::"demo:payments.create", Action::"http.post"],
        resource == Target::"demo");

@id("pay-asks")
@approve("dev/approvers")
forbid (principal, action in [Action::"demo:payments.create", Action::"http.post"], resource == Target::"demo")
unless { context has approval && context.approval.groups.contains("dev/approvers") };

@id("own")
permit (principal in Group::"dev/approvers", action in Action::"countersign", resource);
"#;

const OPERATIONS: &str = r#"
[targets.demo.operations."customers.read"]
description = "Read one customer"
method = "GET"
path = "/customers/{id}"
parameters = { type = "object", properties = { id = { type = "integer" } }, required = ["id"] }

[targets.demo.operations."payments.create"]
description = "Pay a customer"
method = "POST"
path = "/payments"
body = { customer = "{customer}", amount = "{amount}", reason = "{reason}" }
parameters = { type = "object", properties = { customer = { type = "integer" }, amount = { type = "integer" }, reason = { type = "string" } }, required = ["customer", "amount", "reason"] }
"#;

impl Scene {
    /// Starts all of it.
    #[must_use]
    pub fn start(program: &str) -> Self {
        Self::start_with(program, |builder| builder)
    }

    /// The same, with what the test adds to the gateway.
    #[must_use]
    pub fn start_with(program: &str, add: impl FnOnce(Builder) -> Builder) -> Self {
        let mut scene = Self::write(program, add);
        scene.gateway.start();
        scene
    }

    /// The same, without starting the gateway.
    #[must_use]
    pub fn write(program: &str, add: impl FnOnce(Builder) -> Builder) -> Self {
        let (issuer, api) = (IssuerServer::start(), DemoApi::start(program));
        let builder = GatewayBox::builder(program)
            .table(&issuer.toml("dev"))
            .table(&target(&api))
            .policy("demo.cedar", POLICIES)
            .secret("demo-key", api.key());
        Self { gateway: add(builder).write(), api, issuer }
    }

    /// A token of `dev/fn`, a function.
    #[must_use]
    pub fn function(&self) -> String {
        self.issuer.token("fn", &["functions"])
    }

    /// A token of `dev/ada`, an approver.
    #[must_use]
    pub fn approver(&self) -> String {
        self.issuer.token("ada", &["approvers"])
    }

    /// A payment by named operation, that does not wait for its signature. `reason` tells payments apart.
    pub fn payment(&self, reason: &str) -> Outgoing {
        let arguments = json!({ "customer": 1, "amount": 5000, "reason": reason });
        let call = json!({ "operation": "payments.create", "arguments": arguments });
        self.gateway.post("/v1/targets/demo/calls").bearer(&self.function()).wait(0).json(&call)
    }

    /// Signs a request, as an approver.
    pub fn approval(&self, id: &str) -> Outgoing {
        self.gateway.post(&format!("/v1/approvals/{id}/approve")).bearer(&self.approver()).json(&json!({}))
    }

    /// How often the demo API was made to pay for this reason.
    #[must_use]
    pub fn paid(&self, reason: &str) -> usize {
        let effects = self.api.effects();
        effects.iter().filter(|effect| effect.get("reason").and_then(Value::as_str) == Some(reason)).count()
    }
}

fn target(api: &DemoApi) -> String {
    let url = api.url();
    format!(
        "[targets.demo]\nprotocol = \"http\"\nurl = \"{url}\"\n\n\
         [targets.demo.credential]\nissuer = \"static\"\nsecret = \"demo-key\"\nheader = \"X-Api-Key\"\n\n\
         [[targets.demo.fields]]\npointer = \"/phone\"\nclass = \"phone\"\n{OPERATIONS}"
    )
}
