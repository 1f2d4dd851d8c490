//! Requests that others make in this node's name: presigned URLs (AWS Signature Version 4, query parameters).

use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::signer::{HeaderName, HeaderValue, Method, SignedUrlOptions, Signer as _};
use object_store::{Error, Result};
use tandem_ports::objects::{PutGrant, SignedPut};

/// Signs a request that puts one object where none is: what must be sent with it is part of what is signed, so that the
/// server refuses a second one. The length cannot be: object_store does not sign it.
pub(super) async fn put(bucket: &AmazonS3, path: &Path, grant: PutGrant<'_>) -> Result<SignedPut> {
    let said = [("content-type", grant.media_type), ("if-none-match", "*")];
    let mut options = SignedUrlOptions::new();
    for (name, value) in said {
        let value = HeaderValue::from_str(value)
            .map_err(|error| Error::Generic { store: "S3", source: Box::new(error) })?;
        options = options.with_signed_header(HeaderName::from_static(name), value);
    }
    let url = bucket.signed_url_opts(Method::PUT, path, grant.valid, &options).await?;
    let headers = said.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(SignedPut { url: url.into(), headers })
}
