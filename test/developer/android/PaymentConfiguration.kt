package com.stripe.android

import android.content.Context

object PaymentConfiguration {
    fun init(context: Context, publishableKey: String) = Unit.also { listOf(context, publishableKey) }
}
