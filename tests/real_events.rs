//! Real audit events, and questions with exact answers.
