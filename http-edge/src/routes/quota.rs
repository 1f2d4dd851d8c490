//! What the caller has used of a plan.

use axum::response::Response;
use tandem_messages::quota::GetQuota;

use crate::answer;
use crate::caller::Call;
use crate::dto::envelope::Envelope;
use crate::dto::quota::Quota;
use crate::openapi::Lists;
use crate::problem::Problem;
use crate::query::Params;

/// Show what was used of the plan, and what is left
#[utoipa::path(
    get, path = "/api/v1/quota", tag = "quota",
    responses((status = 200, body = Envelope<Quota>, description = "The plan and every measure"), Lists),
)]
pub(crate) async fn get_quota(call: Call, params: Params) -> Result<Response, Problem> {
    params.finish()?;
    let view = call.ask(GetQuota { owner: call.owner() }).await?;
    Ok(answer::ok(Quota::from(view)))
}
