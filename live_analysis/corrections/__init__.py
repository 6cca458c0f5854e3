"""What counts need before they are reconstructed: broken pixels, beam, zingers, phase, an axis that leans or shakes."""
