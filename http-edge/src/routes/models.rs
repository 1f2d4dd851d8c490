//! What operators ask of the corpus' models.

use axum::http::StatusCode;
use axum::response::Response;
use tandem_messages::models::{ChangeModels, GetModels};

use crate::answer;
use crate::caller::Call;
use crate::dto::envelope::Envelope;
use crate::dto::models::{Models, NewModel};
use crate::json::JsonBody;
use crate::openapi::{Changes, Probes};
use crate::problem::Problem;

/// The models of the corpus, and how far a move has come
#[utoipa::path(
    get, path = "/models", tag = "operation",
    responses((status = 200, body = Envelope<Models>, description = "The models"), Probes),
)]
pub(crate) async fn get_models(call: Call) -> Result<Response, Problem> {
    Ok(answer::ok(Models::from(call.ask(GetModels).await?)))
}

/// Move the corpus to another model
///
/// Its vectors are made in the background, beside those of the model that serves. When each shard of the index has all
/// of them, the new model serves; the former one is kept until the move is ended, so that one can go back at any time.
#[utoipa::path(
    post, path = "/models/move", tag = "operation", request_body = NewModel,
    responses((status = 202, body = Envelope<Models>, description = "The move has begun"), Changes),
)]
pub(crate) async fn move_models(call: Call, JsonBody(new): JsonBody<NewModel>) -> Result<Response, Problem> {
    change(&call, ChangeModels::Move(new.into())).await
}

/// Go back to the former model
///
/// Gives up a move that goes on, or turns round one after which another model serves.
#[utoipa::path(
    post, path = "/models/rollback", tag = "operation",
    responses((status = 202, body = Envelope<Models>, description = "Nodes go back within a second"), Changes),
)]
pub(crate) async fn roll_back_models(call: Call) -> Result<Response, Problem> {
    change(&call, ChangeModels::RollBack).await
}

/// End a move
///
/// What is left of the former model is removed, in the background.
#[utoipa::path(
    post, path = "/models/end", tag = "operation",
    responses((status = 202, body = Envelope<Models>, description = "One model is left"), Changes),
)]
pub(crate) async fn end_move(call: Call) -> Result<Response, Problem> {
    change(&call, ChangeModels::End).await
}

async fn change(call: &Call, change: ChangeModels) -> Result<Response, Problem> {
    Ok(answer::at(StatusCode::ACCEPTED, "/models", Models::from(call.ask(change).await?)))
}
