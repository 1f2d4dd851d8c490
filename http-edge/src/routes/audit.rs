//! The audit log of the caller's organization.

use axum::response::Response;
use tandem_messages::audit::ListAudit;

use crate::answer;
use crate::caller::Call;
use crate::dto::audit::Audit;
use crate::dto::envelope::Envelope;
use crate::openapi::Lists;
use crate::problem::Problem;
use crate::query::{Page, Params};

/// List who did what
///
/// Keys that were made and revoked, documents and people that were erased, exports, canceled runs, and what operators
/// changed, newest first, of the caller's tenant. Each entry holds the hash of the one before it; `tandem audit verify`
/// follows them. Ids alone stand in it: no content, names or addresses.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "account",
    params(
        ("limit" = Option<u32>, Query, description = "1..=1000, 50 where it is left out"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Envelope<Audit>, description = "A page of the log"), Lists),
)]
pub(crate) async fn list_audit(call: Call, params: Params) -> Result<Response, Problem> {
    let Page { limit, after } = params.only_page::<u64>()?;
    let tenant = call.caller().tenant.clone();
    let page = call.ask(ListAudit { tenant, before: after, limit }).await?;
    Ok(answer::ok(Audit::from(page)))
}
