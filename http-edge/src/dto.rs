//! What is on the wire. No type of the domain is ever serialized here: the API changes when these types change.

pub(crate) mod common;
pub(crate) mod envelope;
pub(crate) mod event;
pub(crate) mod problem;

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod bulk;
pub(crate) mod callback;
pub(crate) mod document;
pub(crate) mod finding;
pub(crate) mod profile;
pub(crate) mod requirements;
pub(crate) mod uploads;
pub(crate) mod version;

pub(crate) mod matches;
pub(crate) mod quota;
pub(crate) mod removal;
pub(crate) mod runs;
pub(crate) mod score;
pub(crate) mod users;

pub(crate) mod health;
pub(crate) mod models;
pub(crate) mod status;

/// An enum of the wire with the variants of one of the domain, in snake case.
macro_rules! mirror {
    ($(#[$doc:meta])* $module:ident :: $name:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[allow(clippy::enum_variant_names, reason = "the names are the domain's")]
        pub(crate) enum $name { $($variant),* }

        impl From<$module::$name> for $name {
            fn from(value: $module::$name) -> Self {
                match value { $($module::$name::$variant => Self::$variant),* }
            }
        }
    };
}
pub(crate) use mirror;

/// Translates every element.
pub(crate) fn all<T, U: From<T>>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(U::from).collect()
}
