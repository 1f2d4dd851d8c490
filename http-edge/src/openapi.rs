//! The description of the API in OpenAPI 3.1, made from the routes and their types.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::Method;
use tandem_domain::account::Scope;
use tandem_domain::error::ErrorCode;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Info, OpenApi, Ref, RefOr};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::auth::callers::X_API_KEY;
use crate::dto::health::Check;
use crate::dto::problem::ProblemBody;
use crate::problem::{PROBLEM_JSON, Problem, meaning_of};
use crate::rights::{Right, right_of};
use crate::router;

mod parameters;

/// The version of the API, as in its paths.
const API_VERSION: &str = "1";
/// The names of the ways to say who asks.
const BEARER: &str = "bearer";
const API_KEY: &str = "apiKey";
/// The name of the schema of failures.
const PROBLEM: &str = "Problem";

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = [$($status:literal),*];)*) => { $(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$($status),*].into_iter().map(|status: u16| (status.to_string(), reference(status))).collect()
            }
        }
    )* };
}

failures! {
    /// How handing in a document can fail.
    Creates = [400, 402, 409, 413, 415, 422, 429, 500, 503, 504];
    /// How sending a file to a signed URL can fail.
    Sends = [400, 403, 409, 413, 415, 429, 500, 503, 504];
    /// How starting work on documents can fail.
    Starts = [400, 402, 404, 409, 413, 415, 422, 429, 500, 503, 504];
    /// How a report of an outside workflow can fail.
    Reports = [400, 401, 402, 404, 409, 413, 415, 422, 429, 500, 503, 504];
    /// How reading one resource can fail.
    Reads = [400, 404, 429, 500, 503, 504];
    /// How reading a list can fail.
    Lists = [400, 429, 500, 503, 504];
    /// How an operator's change can fail.
    Changes = [400, 409, 413, 415, 422, 500, 503, 504];
    /// How a probe can fail.
    Probes = [500, 503, 504];
}

fn response_name(status: u16) -> String {
    format!("{PROBLEM}{status}")
}

fn reference(status: u16) -> RefOr<Response> {
    Ref::from_response_name(response_name(status)).into()
}

/// The description as text: keys sorted, indented, the same for the same code.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        let mut value = serde_json::to_value(document()).unwrap_or_default();
        value.sort_all_objects();
        format!("{value:#}\n")
    });
    &JSON
}

/// The description as a value.
pub(crate) fn document() -> OpenApi {
    let mut api = router::api().merge(router::operator()).into_openapi();
    api.info = Info::new("Tandem", API_VERSION);
    api.info.description = Some("Matches résumés and jobs, one pair at a time or a million.".to_owned());
    let components = api.components.get_or_insert_with(Components::new);
    components.schemas.insert(PROBLEM.to_owned(), ProblemBody::schema());
    components.schemas.insert(Check::name().into_owned(), Check::schema());
    for (status, codes) in codes_by_status() {
        components.responses.insert(response_name(status), failure(status, &codes).into());
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let key = ApiKeyValue::new(X_API_KEY.as_str());
    components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(key)));
    parameters::bound(&mut api);
    for (path, item) in &mut api.paths.paths {
        let operations = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let (Some(operation), Some(Right::Needs(scope))) = (operation, right_of(&method, path)) {
                secure(operation, scope);
            }
        }
    }
    api
}

/// What a node with accounts asks of whoever calls an operation.
fn secure(operation: &mut Operation, scope: Scope) {
    let needs = format!("On a node with accounts: needs the scope `{scope}`.");
    let description = operation.description.get_or_insert_default();
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(&needs);
    for status in [401, 403] {
        operation.responses.responses.insert(status.to_string(), reference(status));
    }
    let none: [&str; 0] = [];
    // An empty requirement stands for a node without accounts.
    operation.security = Some(vec![
        SecurityRequirement::new(BEARER, none),
        SecurityRequirement::new(API_KEY, none),
        SecurityRequirement::default(),
    ]);
}

fn codes_by_status() -> BTreeMap<u16, Vec<ErrorCode>> {
    let mut codes: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL {
        codes.entry(meaning_of(*code).status.as_u16()).or_default().push(*code);
    }
    codes
}

/// The failures of one status, with an example of each code.
fn failure(status: u16, codes: &[ErrorCode]) -> Response {
    let titles: Vec<&str> = codes.iter().map(|code| meaning_of(*code).title).collect();
    let examples = codes.iter().map(|code| {
        let body = Problem::plain(*code).into_body("0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b12", "/api/v1/resumes");
        let value = serde_json::to_value(body).ok();
        (code.as_str(), ExampleBuilder::new().summary(meaning_of(*code).title).value(value).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(PROBLEM)))
        .examples_from_iter(examples)
        .build();
    ResponseBuilder::new()
        .description(format!("{status}: {}", titles.join(", ")))
        .content(PROBLEM_JSON, content)
        .build()
}
