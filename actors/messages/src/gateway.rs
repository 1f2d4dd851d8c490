//! The one door into the actors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tandem_domain::audit::Actor;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::TenantId;
use tandem_domain::trace::TraceContext;

use crate::accounts::{
    AccountView, CreateKey, GetAccount, IdentifyKey, IdentifyUser, KeyAccess, KeyView, KnownUser, RevokeKey,
};
use crate::audit::{AuditPage, ListAudit};
use crate::documents::{
    DocumentDetail, DocumentPage, DocumentStates, GetDocument, GetDocumentStates, GetRedacted, ListDocuments,
    RedactedDocument, RefineJob, RemoveDocument, RemovedDocument, SubmitDocument, SubmitVersion,
    SubmittedDocument,
};
use crate::health::{GetHealth, Health};
use crate::matches::{CreateMatch, GetMatch, ListMatches, MatchPage, MatchView};
use crate::models::{ChangeModels, GetModels, ModelsView};
use crate::quota::{GetQuota, QuotaView};
use crate::runs::{CancelRun, CreateRun, FailedItems, GetFailedItems, GetRows, GetRun, RowPage, RunView};
use crate::status::{GetStatus, Status};
use crate::uploads::{
    AdmitUpload, AdmittedUpload, CompleteUpload, OpenUpload, OpenedUpload, SendUpload, SentUpload,
};
use crate::users::{EraseUser, ErasedUser, ExportPage, ExportUser};

/// A question that knows its answer.
pub trait Ask: Into<Request> + Send + 'static {
    /// The type of the answer.
    type Reply: Send + 'static;

    /// Takes the answer out of a reply; `None` when the reply answers another question.
    fn reply(reply: Reply) -> Option<Self::Reply>;
}

macro_rules! conversations {
    ($($question:ident => $answer:ident),* $(,)?) => {
        /// Everything that can be asked. A request belongs to exactly one owner, named inside it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "requests are made once and moved, not kept in bulk")]
        pub enum Request {
            $(#[doc = concat!("See [`", stringify!($question), "`].")] $question($question),)*
        }

        impl Request {
            /// The name of the request, for labels and spans.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$question(_) => stringify!($question),)* }
            }
        }

        /// Everything that can be answered.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "replies are made once and moved, not kept in bulk")]
        pub enum Reply {
            $(#[doc = concat!("The answer to [`", stringify!($question), "`].")] $question($answer),)*
        }

        $(
            impl From<$question> for Request {
                fn from(question: $question) -> Self {
                    Self::$question(question)
                }
            }

            impl Ask for $question {
                type Reply = $answer;

                fn reply(reply: Reply) -> Option<$answer> {
                    #[allow(clippy::wildcard_enum_match_arm, reason = "every other reply is the wrong one")]
                    match reply {
                        Reply::$question(answer) => Some(answer),
                        _ => None,
                    }
                }
            }
        )*
    };
}

conversations! {
    SubmitDocument => SubmittedDocument,
    SubmitVersion => SubmittedDocument,
    RefineJob => SubmittedDocument,
    OpenUpload => OpenedUpload,
    AdmitUpload => AdmittedUpload,
    SendUpload => SentUpload,
    CompleteUpload => SubmittedDocument,
    GetDocument => DocumentDetail,
    GetRedacted => RedactedDocument,
    ListDocuments => DocumentPage,
    GetDocumentStates => DocumentStates,
    RemoveDocument => RemovedDocument,
    CreateMatch => MatchView,
    GetMatch => MatchView,
    ListMatches => MatchPage,
    CreateRun => RunView,
    GetRun => RunView,
    GetRows => RowPage,
    GetFailedItems => FailedItems,
    GetHealth => Health,
    GetStatus => Status,
    GetModels => ModelsView,
    ChangeModels => ModelsView,
    CancelRun => RunView,
    GetQuota => QuotaView,
    IdentifyKey => KeyAccess,
    IdentifyUser => KnownUser,
    GetAccount => AccountView,
    CreateKey => KeyView,
    RevokeKey => KeyView,
    ListAudit => AuditPage,
    ExportUser => ExportPage,
    EraseUser => ErasedUser,
}

/// Who asks, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The organization, in whose log it stands.
    pub tenant: TenantId,
    /// Who.
    pub actor: Actor,
}

/// What travels with every request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Names the request in every log line; 1..=128 printable characters.
    pub request_id: String,
    /// How long the asker waits. Every request has an end (invariant 4).
    pub deadline: Duration,
    /// Whether the asker claims to be a Pro member. Nothing proves it: believed where the configuration says so alone.
    pub pro_member: bool,
    /// The plan of the asker's account, by its name; `None` = the default one.
    pub plan: Option<String>,
    /// Who asks.
    pub asker: Asker,
    /// What the work on the request is a part of; `None` = of no trace.
    pub trace: Option<TraceContext>,
}

impl Context {
    /// The deadline where nothing else is said.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

    /// A context with the default deadline.
    #[must_use]
    pub fn new(request_id: impl Into<String>) -> Self {
        Self {
            request_id: request_id.into(),
            deadline: Self::DEFAULT_DEADLINE,
            pro_member: false,
            plan: None,
            asker: Asker { tenant: TenantId::local(), actor: Actor::Anybody },
            trace: None,
        }
    }
}

/// Answers requests. The node fulfills it with its gateway actor; a test may fulfill it with a fake.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Answers within the context's deadline, with a failure if need be.
    ///
    /// # Errors
    /// The failure says whether asking again may help.
    async fn answer(&self, request: Request, context: Context) -> Result<Reply, Failure>;
}

/// What the edge and the command line hold: a gateway with typed questions.
#[derive(Clone)]
pub struct GatewayHandle(Arc<dyn Gateway>);

impl GatewayHandle {
    /// A handle to this gateway.
    pub fn new(gateway: Arc<dyn Gateway>) -> Self {
        Self(gateway)
    }

    /// Asks and waits for the answer, at most until the context's deadline.
    ///
    /// # Errors
    /// What the gateway failed with, or `TIMEOUT`.
    pub async fn ask<Q: Ask>(&self, question: Q, context: &Context) -> Result<Q::Reply, Failure> {
        let reply = self.0.answer(question.into(), context.clone()).await?;
        Q::reply(reply).ok_or_else(|| Failure {
            code: ErrorCode::Internal,
            reason: "the gateway answered another question".to_owned(),
        })
    }
}
