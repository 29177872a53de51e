/** Stitched models as checkpoints that other software loads: {@link io.github.bts4j.stitch.export.TransformersExport} for Hugging Face transformers. */
package io.github.bts4j.stitch.export;
