//! A submitted file: its type checked, its original kept, a duplicate found, its task filed.
//!
//! [`Ingestor`] does the work, [`Ingestion`] is the bounded pool of actors around it that everybody else holds. [`Uploads`]
//! gives out URLs to which files can be sent first. [`Eraser`] takes back all of it.

mod eraser;
mod ingestor;
mod intent;
mod metrics;
mod pool;
mod uploads;

pub use eraser::{Eraser, EraserPorts};
pub use ingestor::{Ingestor, IngestorOptions, IngestorPorts, Sniff};
pub use pool::{Ingestion, IngestionOptions, Intake};
pub use uploads::{UploadKey, UploadSweeper, UploadSweeperOptions, Uploads, UploadsOptions, UploadsPorts};
