//! What parameters of the same name take, wherever they stand.

use utoipa::openapi::path::{Parameter, PathItem};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

use utoipa::ToSchema;

use crate::caller::MAX_KEY_LEN;
use crate::dto::document::FileForm;
use crate::query::{DEFAULT_LIMIT, MAX_LIMIT};

/// Gives every parameter the bounds that requests are held to, and says of none that it may be null: what stands in a
/// query, a header or a form is there or is not.
pub(super) fn bound(api: &mut OpenApi) {
    let forms = [FileForm::name()];
    let schemas = api.components.iter_mut().flat_map(|components| &mut components.schemas);
    for (_, schema) in schemas.filter(|(name, _)| forms.contains(&name.as_str().into())) {
        if let RefOr::T(Schema::Object(form)) = schema {
            form.properties.values_mut().for_each(never_null);
        }
    }
    for item in api.paths.paths.values_mut() {
        let PathItem { get, post, put, patch, delete, .. } = item;
        for operation in [get, post, put, patch, delete].into_iter().flatten() {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter {
                    describe(parameter);
                }
            }
        }
    }
}

fn describe(parameter: &mut Parameter) {
    if let Some(schema) = schema_of(&parameter.name) {
        parameter.schema = Some(RefOr::T(Schema::Object(schema.build())));
        return;
    }
    if let Some(schema) = &mut parameter.schema {
        never_null(schema);
    }
}

fn never_null(schema: &mut RefOr<Schema>) {
    let is_null = |one: &RefOr<Schema>| matches!(one, RefOr::T(Schema::Object(one)) if one.schema_type == SchemaType::Type(Type::Null));
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(types) = &mut object.schema_type {
                types.retain(|one| *one != Type::Null);
                if let [one] = types.as_slice() {
                    object.schema_type = SchemaType::Type(one.clone());
                }
            }
        }
        RefOr::T(Schema::OneOf(choice)) => choice.items.retain(|one| !is_null(one)),
        RefOr::T(Schema::Array(_) | Schema::AllOf(_) | Schema::AnyOf(_)) | RefOr::Ref(_) => {}
        // The crate may add to its enum.
        RefOr::T(_) => {}
    }
}

fn schema_of(name: &str) -> Option<ObjectBuilder> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    Some(match name {
        "Idempotency-Key" => {
            text().min_length(Some(1)).max_length(Some(MAX_KEY_LEN)).pattern(Some("^[!-~]+$"))
        }
        "owner" => text().min_length(Some(1)).max_length(Some(128)).pattern(Some("^[!-~]+$")),
        "limit" => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT_LIMIT.into())),
        "version" => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(1))
            .maximum(Some(u32::MAX)),
        "include" => text().enum_values(Some(["text"])),
        "format" => text().enum_values(Some(["json", "ndjson"])),
        _ => return None,
    })
}
